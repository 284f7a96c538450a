// Residual networks (He et al. 2016): the networks "resnet18" and "resnet50".
#pragma once

#include <cstdint>

#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// - A 7x7 convolution and max pooling, both with stride 2;
// - four groups of residual blocks, of which the last three begin with stride 2;
// - the global mean, and a dense layer to K logits.
//
// The names of the tensors are those of timm's resnet18 and resnet50.
class ResNet : public Network {
 public:
  // Blocks of two 3x3 convolutions; 64 to 512 channels.
  static NetworkPtr resnet18(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);
  // Blocks of a 1x1, a 3x3 and a 1x1 convolution, with four times the channels; the 3x3 convolutions have the stride.
  static NetworkPtr resnet50(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);

 private:
  ResNet(const NetworkOptions& options, const ImageShape& shape, uint64_t seed, bool bottleneck,
         const std::vector<int64_t>& blocks);
};

}  // namespace frgan
