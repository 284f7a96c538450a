#include "frgan/nn/gaussian_network.h"

#include <fmt/format.h>

#include "frgan/nn/layers.h"

namespace frgan {
namespace {

constexpr double kSlope = 0.2;

}  // namespace

GaussianNetwork::GaussianNetwork(int64_t input, int64_t size, const HiddenLayers& hidden, WeightSource& source)
    : LayerList({input}) {
  for (int64_t layer = 1; layer <= hidden.layers; ++layer) {
    add(fmt::format("hidden{}", layer),
        std::make_shared<WeightNormDense>(output().front(), hidden.units, kSlope, source));
  }
  add("gaussian", std::make_shared<WeightNormLogits>(output().front(), 2 * size, /*initial_std=*/0.1, source));
}

}  // namespace frgan
