// The compute type of convolutions and large dense layers.
#pragma once

namespace frgan {

// Weights, losses and small layers keep the type of the parameters. kFull is that type, kBf16 is bfloat16.
enum class Precision { kFull, kBf16 };

}  // namespace frgan
