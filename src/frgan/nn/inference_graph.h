// A network as a graph of operators, for inference by other programs. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace frgan {

// Numbers that the graph contains, row-major.
struct GraphTensor {
  std::string name;
  std::vector<int64_t> shape;  // empty for a scalar
  std::variant<std::vector<float>, std::vector<int64_t>> values;
  bool is_weight = false;  // of the network; others are constants, such as shapes
};

using GraphAttribute = std::variant<int64_t, double, std::vector<int64_t>>;
using GraphAttributes = std::map<std::string, GraphAttribute>;

// An operator of ONNX, operator set 13 (https://onnx.ai/onnx/operators). Inputs are names of outputs, of tensors or of
// inputs of the graph.
struct GraphNode {
  std::string op;  // "Conv"
  std::vector<std::string> inputs;
  std::string output;
  GraphAttributes attributes;
};

enum class GraphType { kFloat, kUint8 };

// An input or an output of the graph. A dimension is a number, "32", or a name, "N", if its size varies.
struct GraphPort {
  std::string name;
  GraphType type = GraphType::kFloat;
  std::vector<std::string> dimensions;
};

struct InferenceGraph {
  std::vector<GraphPort> inputs, outputs;
  std::vector<GraphNode> nodes;  // each after the nodes whose outputs it uses
  std::vector<GraphTensor> tensors;
};

// Folds a scale and a shift of the channels into the convolution before them, if it has no bias and nothing else uses
// its result. They are a Mul and an Add with weights of shape C x 1 x 1. The shift becomes the bias of the convolution.
InferenceGraph with_folded_channels(InferenceGraph graph);

}  // namespace frgan
