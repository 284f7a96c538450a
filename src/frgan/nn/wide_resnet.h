// Wide residual network (Zagoruyko & Komodakis 2016): the network "wrn-28-2".
#pragma once

#include <cstdint>

#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// - A 3x3 convolution to 16 channels;
// - three groups of four residual blocks with 32, 64 and 128 channels; the second and third group begin with stride 2;
// - batch norm, leaky ReLU 0.1, the global mean, and a dense layer to K logits.
//
// A block is batch norm, leaky ReLU, 3x3 convolution, twice, added to its input. Where the number of channels changes,
// a 1x1 convolution maps the input. In the first block, it maps the input after batch norm and leaky ReLU, as in
// FixMatch.
class WideResNet : public Network {
 public:
  WideResNet(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);
};

}  // namespace frgan
