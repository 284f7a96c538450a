// The compute type of convolutions and large dense layers.
#pragma once

#include <string>

#include "frgan/core/options.h"

namespace frgan {

// Weights, losses and small layers keep the type of the parameters. kFull is that type, kBf16 is bfloat16.
enum class Precision { kFull, kBf16 };

// "fp32" or "bf16", the names in options, messages and files. Networks in double are for tests only.
std::string precision_name(Precision precision);

// The value of --precision. device/device.h resolves kAuto for training, classifier/inference.h for trained networks.
enum class PrecisionChoice { kAuto, kFp32, kBf16 };
Words<PrecisionChoice> precision_words();

}  // namespace frgan
