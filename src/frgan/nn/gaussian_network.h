// A multilayer perceptron that computes the mean and the log variance of a diagonal Gaussian.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frgan/nn/layer_list.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

// The hidden layers of a multilayer perceptron: weight norm, leaky ReLU with slope 0.2.
struct HiddenLayers {
  int64_t layers = 1;
  int64_t units = 500;
};

struct NamedLayer {
  std::string name;
  std::shared_ptr<Layer> layer;
};

// Hidden layers "hidden1", "hidden2", ... for `input` values.
std::vector<NamedLayer> hidden_layers(int64_t input, const HiddenLayers& hidden, WeightSource& source);
// The same with a layer "gaussian" to `size` means and `size` log variances.
std::vector<NamedLayer> gaussian_layers(int64_t input, int64_t size, const HiddenLayers& hidden, WeightSource& source);

// Hidden dense layers, and a dense layer to `size` means and `size` log variances (losses/variational.h).
//
//   WeightSource source(WeightInit::kXavier, seed, kStreamNumber);
//   const GaussianNetwork encoder(3072, 300, {.layers = 2}, source);
//   const Gaussian q = gaussian_of(encoder.forward(images.flatten(1), {}));
class GaussianNetwork : public LayerList {
 public:
  GaussianNetwork(int64_t input, int64_t size, const HiddenLayers& hidden, WeightSource& source);

  // N x input to N x 2 size.
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) const { return run(x, pass, 0, this->size()); }
};

}  // namespace frgan
