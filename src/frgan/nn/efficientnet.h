// EfficientNet-Lite0 (Tan & Le 2019, in the variant of Google's TPU repository): the network "efficientnet-lite0".
#pragma once

#include <cstdint>

#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// - A 3x3 convolution with stride 2;
// - 16 blocks with depthwise convolutions;
// - a 1x1 convolution to 1280 channels, the global mean, and a dense layer to K logits.
//
// Batch norm and ReLU6 follow each convolution, except the last one of a block, which has batch norm only. The names of
// the tensors are those of timm's efficientnet_lite0 and tf_efficientnet_lite0. These two differ in padding and in the
// epsilon of batch norm (--padding, --norm-epsilon).
class EfficientNetLite : public Network {
 public:
  EfficientNetLite(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);
};

}  // namespace frgan
