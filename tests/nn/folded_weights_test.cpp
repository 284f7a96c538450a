#include "frgan/nn/folded_weights.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../io/temporary_folder.h"
#include "frgan/device/random.h"
#include "frgan/nn/networks.h"
#include "random_tensors.h"

namespace frgan {
namespace {

constexpr ImageShape kFoldedShape{32, 3, 4};

NetworkPtr folded_network(NetworkOptions options, uint64_t seed) {
  options.width = 1.0 / 16;
  return create_network(options, kFoldedShape, seed);
}

// The weights of the graph of a network.
NamedTensors weights_of(const Network& network) {
  GraphBuilder builder;
  const GraphValue x = builder.input({"x", GraphType::kFloat, {"N", "3", "32", "32"}}, {3, 32, 32});
  builder.output(network.add_to(builder, x), {"logits", GraphType::kFloat, {"N", "4"}});
  NamedTensors tensors;
  for (const GraphTensor& tensor : builder.finish().tensors) {
    if (tensor.is_weight)
      tensors[tensor.name] = at::tensor(std::get<std::vector<float>>(tensor.values)).view(tensor.shape);
  }
  return tensors;
}

std::vector<NetworkOptions> folded_options() {
  std::vector<NetworkOptions> all;
  for (const NetworkInfo& info : all_networks()) all.push_back({.network = std::string(info.name)});
  all.push_back({.network = "conv-large", .conv_large_norm = ConvLargeNorm::kBatchNorm});
  all.push_back({.se_position = SePosition::kAll, .se_bias = true, .train_gain = false});
  all.push_back({.network = "wrn-28-2", .normalization = {.kind = InputNormalizationKind::kZca}});
  return all;
}

// A network with other weights computes the same after it got the folded ones.
TEST(FoldedWeights, MakeNetworksCompute) {
  const torch::NoGradGuard no_grad;
  const at::Tensor images = random_uniform({3, 3, 32, 32}, -1, 1, /*key=*/2, at::kFloat);
  for (const NetworkOptions& options : folded_options()) {
    SCOPED_TRACE(options.network);
    const NetworkPtr network = folded_network(options, 1), other = folded_network(options, 2);
    fill_with_random_values(*network, 1);
    fill_with_random_values(*other, 1000);
    const auto logits = [&](const NetworkPtr& its) {
      return its->forward(images.contiguous(at::MemoryFormat::ChannelsLast), {}).logits;
    };
    const at::Tensor expected = logits(network);
    EXPECT_FALSE(at::allclose(logits(other), expected, 1e-2, 1e-2));
    set_folded_weights(*other, weights_of(*network), "file");
    EXPECT_TRUE(at::allclose(logits(other), expected, 1e-4, 1e-4 * expected.abs().max().item<double>()));
  }
}

TEST(FoldedWeights, NameTheTensorThatDoesNotFit) {
  const NetworkPtr network = folded_network({}, 1);
  const NamedTensors tensors = weights_of(*network);
  const at::Tensor before = network->parameters().front().clone();
  const auto message = [&](const auto& change) {
    NamedTensors changed = tensors;
    change(changed);
    return error_of([&] { set_folded_weights(*network, changed, "file"); });
  };
  EXPECT_EQ(message([](NamedTensors& its) { its.erase("conv3.bias"); }), "file: tensor conv3.bias is missing");
  EXPECT_EQ(message([](NamedTensors& its) { its["extra"] = at::zeros({1}); }), "file: the network has no tensor extra");
  EXPECT_EQ(message([](NamedTensors& its) { its["conv1.bias"] = at::zeros({7}); }),
            "file: tensor conv1.bias has 7 values; the network needs 4");
  EXPECT_TRUE(network->parameters().front().equal(before));
}

}  // namespace
}  // namespace frgan
