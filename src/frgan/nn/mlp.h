// Multilayer perceptron: the network "mlp".
#pragma once

#include <cstdint>

#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// Dropout of the image, hidden dense layers with weight norm and leaky ReLU, and a dense layer to K logits.
class Mlp : public Network {
 public:
  Mlp(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);
};

}  // namespace frgan
