// ConvNeXt (Liu et al. 2022): the network "convnext-tiny".
#pragma once

#include <cstdint>

#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// Four groups of residual blocks with 96 to 768 channels. A 4x4 convolution with stride 4 comes before the first group,
// and a 2x2 convolution with stride 2 before each other one. The global mean, layer norm, and a dense layer to K logits
// follow. The names of the tensors are those of timm's convnext_tiny.
class ConvNext : public Network {
 public:
  static constexpr int64_t kSmallestImage = 32;  // pixels

  ConvNext(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);
};

}  // namespace frgan
