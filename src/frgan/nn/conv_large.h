// The 13-layer network of Laine & Aila (2017), VAT and Mean Teacher: the network "conv-large".
#pragma once

#include <cstdint>

#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// - Three 3x3 convolutions to 128 channels, 2x2 max pooling, dropout;
// - three to 256 channels, 2x2 max pooling, dropout;
// - a 3x3 convolution to 512 channels without padding, 1x1 convolutions to 256 and to 128 channels;
// - the global mean, and a dense layer to K logits.
//
// All activations are leaky ReLU with slope 0.1. Normalization: weight norm with mean-only batch norm, also of the
// logits (Laine & Aila, Mean Teacher), or batch norm of the convolutions (VAT).
class ConvLarge : public Network {
 public:
  ConvLarge(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);
};

}  // namespace frgan
