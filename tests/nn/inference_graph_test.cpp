// The graphs of networks: names, folding, and the errors of layers that cannot be exported. tests/interchange compares
// the results of graphs with those of networks.
#include "frgan/nn/inference_graph.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../io/temporary_folder.h"
#include "frgan/nn/generator.h"
#include "frgan/nn/graph_builder.h"
#include "frgan/nn/network.h"
#include "frgan/nn/networks.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const std::vector<float>& numbers_of(const InferenceGraph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.tensors, name, &GraphTensor::name);
  TORCH_CHECK(found != graph.tensors.end(), name, " is missing");
  return std::get<std::vector<float>>(found->values);
}

std::vector<std::string> operators_of(const InferenceGraph& graph) {
  std::vector<std::string> found;
  for (const GraphNode& node : graph.nodes) found.push_back(node.op);
  return found;
}

// A 1x1 convolution from 2 to 2 channels, then y = 3 x + 5 and 7 x + 11 of the channels. `more` can use the values.
template <class More>
InferenceGraph convolution_with_norm(const More& more) {
  GraphBuilder graph;
  const GraphValue x = graph.input({"x", GraphType::kFloat, {"N", "2", "4", "4"}}, {2, 4, 4});
  graph.begin_layer("conv");
  const std::string kernel = graph.weight(graph.local("weight"), at::arange(1, 5, at::kFloat).view({2, 2, 1, 1}));
  const GraphValue y = graph.convolution(x, kernel, "", {2, 2, 1, 1}, 1, {});
  graph.begin_layer("norm");
  const GraphValue scaled = graph.multiply(y, graph.weight("norm.weight", at::tensor({3.0F, 7.0F}).view({2, 1, 1})));
  const GraphValue z = graph.add(scaled, graph.weight("norm.bias", at::tensor({5.0F, 11.0F}).view({2, 1, 1})));
  graph.output(more(graph, y, z), {"z", GraphType::kFloat, {"N", "2", "4", "4"}});
  return graph.finish();
}

TEST(Folding, PutsScaleAndShiftIntoTheConvolution) {
  const InferenceGraph graph = convolution_with_norm([](auto& /*graph*/, auto& /*y*/, auto& z) { return z; });
  EXPECT_THAT(operators_of(graph), ElementsAre("Conv", "Identity"));
  EXPECT_THAT(numbers_of(graph, "conv.weight"), ElementsAre(3, 6, 21, 28));
  EXPECT_THAT(numbers_of(graph, "norm.bias"), ElementsAre(5, 11));
  EXPECT_EQ(graph.tensors.size(), 2U);
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("x", "conv.weight", "norm.bias"));
  EXPECT_EQ(graph.nodes[0].output, graph.nodes[1].inputs.front());
  const auto bias = std::ranges::find(graph.tensors, "norm.bias", &GraphTensor::name);
  EXPECT_THAT(bias->shape, ElementsAre(2));
}

TEST(Folding, KeepsAConvolutionWhoseResultIsUsedElsewhere) {
  const InferenceGraph graph =
      convolution_with_norm([](GraphBuilder& builder, auto& y, auto& z) { return builder.add(z, y); });
  EXPECT_THAT(operators_of(graph), ElementsAre("Conv", "Mul", "Add", "Add", "Identity"));
  EXPECT_THAT(numbers_of(graph, "conv.weight"), ElementsAre(1, 2, 3, 4));
}

// Every layer of every network has operators, with the shapes that it describes (LayerList::add_to checks them). Each
// operator uses only earlier results. No batch norm remains where a convolution could contain it.
TEST(NetworkGraphs, AreComplete) {
  for (const NetworkInfo& info : all_networks()) {
    SCOPED_TRACE(info.name);
    const auto network = create_network({.network = std::string(info.name), .width = 1.0 / 16}, {32, 3, 4}, 1);
    GraphBuilder builder;
    const GraphValue x = builder.input({"x", GraphType::kFloat, {"N", "3", "32", "32"}}, {3, 32, 32});
    builder.output(network->add_to(builder, x), {"logits", GraphType::kFloat, {"N", "4"}});
    const InferenceGraph graph = builder.finish();
    std::set<std::string> known{"x"};
    for (const GraphTensor& tensor : graph.tensors) EXPECT_TRUE(known.insert(tensor.name).second) << tensor.name;
    std::map<std::string, std::string> operator_of;
    for (const GraphNode& node : graph.nodes) {
      for (const std::string& input : node.inputs) EXPECT_TRUE(known.contains(input)) << input;
      EXPECT_TRUE(known.insert(node.output).second) << node.output;
      operator_of[node.output] = node.op;
      const bool scales_convolution =
          node.op == "Mul" && operator_of[node.inputs.front()] == "Conv" && node.inputs.back().ends_with(".weight");
      EXPECT_FALSE(scales_convolution) << node.output;
    }
    EXPECT_TRUE(known.contains("logits"));
  }
}

TEST(NetworkGraphs, NameWeightsByTheirModules) {
  const auto network = create_network({.network = "resnet18", .width = 1.0 / 16}, {32, 3, 4}, 1);
  GraphBuilder builder;
  const GraphValue x = builder.input({"x", GraphType::kFloat, {"N", "3", "32", "32"}}, {3, 32, 32});
  builder.output(network->add_to(builder, x), {"logits", GraphType::kFloat, {"N", "4"}});
  std::vector<std::string> names;
  for (const GraphTensor& tensor : builder.finish().tensors) {
    if (tensor.is_weight && (tensor.name.starts_with("layer2.0.") || !tensor.name.starts_with("layer"))) {
      names.push_back(tensor.name);
    }
  }
  EXPECT_THAT(names, UnorderedElementsAre("conv1.weight", "bn1.bias", "layer2.0.conv1.weight", "layer2.0.bn1.bias",
                                          "layer2.0.conv2.weight", "layer2.0.bn2.bias", "layer2.0.downsample.0.weight",
                                          "layer2.0.downsample.1.bias", "fc.weight", "fc.bias"));
}

TEST(NetworkGraphs, RefuseGenerators) {
  const Generator generator({.gen_width = 8}, {16, 1, 2}, 1, WeightInit::kXavier, 1);
  GraphBuilder builder;
  const GraphValue noise = builder.input({"noise", GraphType::kFloat, {"N", "100"}}, {100});
  EXPECT_THAT(error_of([&] { generator.add_to(builder, noise); }),
              ::testing::HasSubstr("the layer 'dense 100 to 32, batch norm, ReLU' cannot be exported"));
}

}  // namespace
}  // namespace frgan
