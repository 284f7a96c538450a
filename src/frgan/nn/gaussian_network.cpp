#include "frgan/nn/gaussian_network.h"

#include <fmt/format.h>

#include "frgan/nn/layers.h"

namespace frgan {
namespace {

constexpr double kSlope = 0.2;

}  // namespace

std::vector<NamedLayer> hidden_layers(int64_t input, const HiddenLayers& hidden, WeightSource& source) {
  std::vector<NamedLayer> layers;
  for (int64_t layer = 1; layer <= hidden.layers; ++layer) {
    const int64_t units = layer == 1 ? input : hidden.units;
    layers.push_back(
        {fmt::format("hidden{}", layer), std::make_shared<WeightNormDense>(units, hidden.units, kSlope, source)});
  }
  return layers;
}

std::vector<NamedLayer> gaussian_layers(int64_t input, int64_t size, const HiddenLayers& hidden, WeightSource& source) {
  std::vector<NamedLayer> layers = hidden_layers(input, hidden, source);
  layers.push_back(
      {"gaussian", std::make_shared<WeightNormLogits>(hidden.units, 2 * size, /*initial_std=*/0.1, source)});
  return layers;
}

GaussianNetwork::GaussianNetwork(int64_t input, int64_t size, const HiddenLayers& hidden, WeightSource& source)
    : LayerList({input}) {
  for (const auto& [name, layer] : gaussian_layers(input, size, hidden, source)) add(name, layer);
}

}  // namespace frgan
