#include "frgan/nn/mlp.h"

#include <memory>

#include <fmt/format.h>

#include "frgan/nn/layers.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kMlp = 6;  // random stream of the weights

}  // namespace

Mlp::Mlp(const NetworkOptions& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization) {
  WeightSource source(options.init, seed, kMlp);
  const int64_t units = scaled_channels(options.mlp_units, options.width);
  add("flatten", std::make_shared<Flattening>());
  add("input_dropout", std::make_shared<DropoutLayer>(options.input_dropout, 0));
  for (int64_t layer = 1; layer <= options.mlp_layers; ++layer) {
    add(fmt::format("hidden{}", layer),
        std::make_shared<WeightNormDense>(output().front(), units, options.slope, source));
  }
  add("dense",
      std::make_shared<WeightNormLogits>(output().front(), shape.classes + (options.explicit_fake_class ? 1 : 0),
                                         /*initial_std=*/0.1, source));
}

}  // namespace frgan
