// Construction of inference graphs. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/nn/inference_graph.h"

namespace at {
class Tensor;
}

namespace frgan {

// A value in a graph: its name, and its shape for one image, which lacks the dimension of the batch.
struct GraphValue {
  std::string name;
  std::vector<int64_t> shape;
};

// Zeros around an image.
struct GraphPadding {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
};

// Adds operators and tensors to a graph. A layer of a network describes itself with these functions.
//
//   GraphBuilder graph;
//   GraphValue x = graph.input({"image", GraphType::kFloat, {"N", "3", "32", "32"}}, {3, 32, 32});
//   graph.begin_layer("conv1");
//   x = graph.convolution(x, graph.weight(graph.local("weight"), weight), "", {64, 3, 3, 3}, 1, {1, 1, 1, 1});
//   graph.output(x, {"features", GraphType::kFloat, {"N", "64", "32", "32"}});
//   const InferenceGraph result = graph.finish();
class GraphBuilder {
 public:
  GraphValue input(const GraphPort& port, const std::vector<int64_t>& shape);
  // Makes the value an output with the name of the port.
  void output(const GraphValue& value, const GraphPort& port);
  // The graph, with folded channels (with_folded_channels). The builder is empty then.
  InferenceGraph finish();

  // The layer whose operators follow: a prefix of their names.
  void begin_layer(const std::string& name) { layer_ = name; }
  // The path of a tensor of this layer: "conv1.weight" for "weight". The first name may be empty.
  std::string local(const std::string& name) const;
  std::string local(const std::string& module, const std::string& name) const;

  // Tensors. Each returns the name for the inputs of an operator.
  std::string weight(const std::string& path, const at::Tensor& value);  // converted to float
  std::string integers(const std::vector<int64_t>& values);              // of one dimension
  std::string integer(int64_t value);                                    // a scalar
  std::string number(double value);                                      // a scalar
  std::string numbers(const std::vector<float>& values, const std::vector<int64_t>& shape);

  // Any operator. `shape` is that of the result for one image.
  GraphValue apply(const std::string& op, const std::vector<std::string>& inputs, const std::vector<int64_t>& shape,
                   const GraphAttributes& attributes = {});

  // Operators with the shapes of their results. `weight` and `bias` are names of tensors; an empty bias is none.
  GraphValue convolution(const GraphValue& x, const std::string& weight, const std::string& bias,
                         const std::vector<int64_t>& weight_shape, int64_t stride, const GraphPadding& padding,
                         int64_t groups = 1);
  // x W^T + b over the last dimension, with W units x values.
  GraphValue dense(const GraphValue& x, const std::string& weight, const std::string& bias, int64_t units);
  GraphValue max_pool(const GraphValue& x, int64_t kernel, int64_t stride, int64_t padding);
  GraphValue leaky_relu(const GraphValue& x, double slope);
  GraphValue relu(const GraphValue& x);
  GraphValue clip(const GraphValue& x, double low, double high);
  GraphValue gelu(const GraphValue& x);  // 0.5 x (1 + erf(x / sqrt(2)))
  GraphValue add(const GraphValue& x, const GraphValue& y);
  GraphValue add(const GraphValue& x, const std::string& tensor);
  GraphValue subtract(const GraphValue& x, const std::string& tensor);
  GraphValue multiply(const GraphValue& x, const std::string& tensor);
  // Mean over these dimensions, where 0 is the batch; they keep size 1 if `keep`.
  GraphValue mean(const GraphValue& x, const std::vector<int64_t>& dimensions, bool keep);
  // To this shape for one image.
  GraphValue reshape(const GraphValue& x, const std::vector<int64_t>& shape);
  // Dimension i of the result is dimension order[i] of x; 0 is the batch, which stays first.
  GraphValue transpose(const GraphValue& x, const std::vector<int64_t>& order);

 private:
  std::string add_tensor(GraphTensor tensor);

  InferenceGraph graph_;
  std::string layer_;
  std::map<std::string, std::string> constants_;  // names by content
  int64_t values_ = 0;
};

}  // namespace frgan
