#include "frgan/nn/graph_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

namespace frgan {
namespace {

std::vector<int64_t> with_batch(std::vector<int64_t> shape) {
  shape.insert(shape.begin(), -1);
  return shape;
}

}  // namespace

GraphValue GraphBuilder::input(const GraphPort& port, const std::vector<int64_t>& shape) {
  graph_.inputs.push_back(port);
  return {port.name, shape};
}

void GraphBuilder::output(const GraphValue& value, const GraphPort& port) {
  graph_.nodes.push_back({"Identity", {value.name}, port.name, {}});
  graph_.outputs.push_back(port);
}

InferenceGraph GraphBuilder::finish() {
  constants_.clear();
  return with_folded_channels(std::exchange(graph_, {}));
}

std::string GraphBuilder::local(const std::string& name) const {
  return layer_.empty() ? name : layer_ + "." + name;
}

std::string GraphBuilder::local(const std::string& module, const std::string& name) const {
  return local(module.empty() ? name : module + "." + name);
}

std::string GraphBuilder::add_tensor(GraphTensor tensor) {
  graph_.tensors.push_back(std::move(tensor));
  return graph_.tensors.back().name;
}

std::string GraphBuilder::weight(const std::string& path, const at::Tensor& value) {
  const at::Tensor numbers = value.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* const first = numbers.data_ptr<float>();
  return add_tensor(
      {path, value.sizes().vec(), std::vector<float>(first, first + numbers.numel()), /*is_weight=*/true});
}

std::string GraphBuilder::integers(const std::vector<int64_t>& values) {
  std::string& name = constants_[fmt::format("i{}", fmt::join(values, ","))];
  if (name.empty()) {
    name = add_tensor({fmt::format("constant/{}", constants_.size()), {static_cast<int64_t>(values.size())}, values});
  }
  return name;
}

std::string GraphBuilder::integer(int64_t value) {
  std::string& name = constants_[fmt::format("i scalar {}", value)];
  if (name.empty()) {
    name = add_tensor({fmt::format("constant/{}", constants_.size()), {}, std::vector<int64_t>{value}});
  }
  return name;
}

std::string GraphBuilder::number(double value) {
  return numbers({static_cast<float>(value)}, {});
}

std::string GraphBuilder::numbers(const std::vector<float>& values, const std::vector<int64_t>& shape) {
  std::string& name = constants_[fmt::format("f{} of {}", fmt::join(values, ","), fmt::join(shape, ","))];
  if (name.empty()) name = add_tensor({fmt::format("constant/{}", constants_.size()), shape, values});
  return name;
}

GraphValue GraphBuilder::apply(const std::string& op, const std::vector<std::string>& inputs,
                               const std::vector<int64_t>& shape, const GraphAttributes& attributes) {
  std::string name = fmt::format("{}/{}_{}", layer_, op, ++values_);
  graph_.nodes.push_back({op, inputs, name, attributes});
  return {std::move(name), shape};
}

GraphValue GraphBuilder::convolution(const GraphValue& x, const std::string& weight, const std::string& bias,
                                     const std::vector<int64_t>& weight_shape, int64_t stride,
                                     const GraphPadding& padding, int64_t groups) {
  std::vector<std::string> inputs{x.name, weight};
  if (!bias.empty()) inputs.push_back(bias);
  const int64_t height = (x.shape.at(1) + padding.top + padding.bottom - weight_shape.at(2)) / stride + 1;
  const int64_t width = (x.shape.at(2) + padding.left + padding.right - weight_shape.at(3)) / stride + 1;
  return apply("Conv", inputs, {weight_shape.front(), height, width},
               {{"kernel_shape", std::vector<int64_t>{weight_shape[2], weight_shape[3]}},
                {"strides", std::vector<int64_t>{stride, stride}},
                {"pads", std::vector<int64_t>{padding.top, padding.left, padding.bottom, padding.right}},
                {"group", groups}});
}

GraphValue GraphBuilder::dense(const GraphValue& x, const std::string& weight, const std::string& bias, int64_t units) {
  std::vector<int64_t> shape = x.shape;
  shape.back() = units;
  const bool of_vectors = x.shape.size() == 1;
  const GraphValue rows = of_vectors ? x : reshape(x, {x.shape.back()});
  std::vector<std::string> inputs{rows.name, weight};
  if (!bias.empty()) inputs.push_back(bias);
  const GraphValue result = apply("Gemm", inputs, {units}, {{"transB", int64_t{1}}});
  return of_vectors ? result : reshape(result, shape);
}

GraphValue GraphBuilder::max_pool(const GraphValue& x, int64_t kernel, int64_t stride, int64_t padding) {
  const auto pooled = [&](int64_t size) { return (size + 2 * padding - kernel) / stride + 1; };
  return apply("MaxPool", {x.name}, {x.shape.at(0), pooled(x.shape.at(1)), pooled(x.shape.at(2))},
               {{"kernel_shape", std::vector<int64_t>{kernel, kernel}},
                {"strides", std::vector<int64_t>{stride, stride}},
                {"pads", std::vector<int64_t>(4, padding)}});
}

GraphValue GraphBuilder::leaky_relu(const GraphValue& x, double slope) {
  return apply("LeakyRelu", {x.name}, x.shape, {{"alpha", slope}});
}

GraphValue GraphBuilder::relu(const GraphValue& x) {
  return apply("Relu", {x.name}, x.shape);
}

GraphValue GraphBuilder::clip(const GraphValue& x, double low, double high) {
  return apply("Clip", {x.name, number(low), number(high)}, x.shape);
}

GraphValue GraphBuilder::gelu(const GraphValue& x) {
  const GraphValue erf = apply("Erf", {multiply(x, number(std::sqrt(0.5))).name}, x.shape);
  return apply("Mul", {multiply(x, number(0.5)).name, add(erf, number(1)).name}, x.shape);
}

GraphValue GraphBuilder::add(const GraphValue& x, const GraphValue& y) {
  return apply("Add", {x.name, y.name}, x.shape);
}

GraphValue GraphBuilder::add(const GraphValue& x, const std::string& tensor) {
  return apply("Add", {x.name, tensor}, x.shape);
}

GraphValue GraphBuilder::subtract(const GraphValue& x, const std::string& tensor) {
  return apply("Sub", {x.name, tensor}, x.shape);
}

GraphValue GraphBuilder::multiply(const GraphValue& x, const std::string& tensor) {
  return apply("Mul", {x.name, tensor}, x.shape);
}

GraphValue GraphBuilder::mean(const GraphValue& x, const std::vector<int64_t>& dimensions, bool keep) {
  std::vector<int64_t> shape;
  for (size_t i = 0; i < x.shape.size(); ++i) {
    const bool is_reduced =
        std::find(dimensions.begin(), dimensions.end(), static_cast<int64_t>(i + 1)) != dimensions.end();
    if (!is_reduced) shape.push_back(x.shape[i]);
    if (is_reduced && keep) shape.push_back(1);
  }
  return apply("ReduceMean", {x.name}, shape, {{"axes", dimensions}, {"keepdims", int64_t{keep ? 1 : 0}}});
}

GraphValue GraphBuilder::reshape(const GraphValue& x, const std::vector<int64_t>& shape) {
  return apply("Reshape", {x.name, integers(with_batch(shape))}, shape);
}

GraphValue GraphBuilder::transpose(const GraphValue& x, const std::vector<int64_t>& order) {
  std::vector<int64_t> shape;
  for (size_t i = 1; i < order.size(); ++i) shape.push_back(x.shape.at(static_cast<size_t>(order[i] - 1)));
  return apply("Transpose", {x.name}, shape, {{"perm", order}});
}

}  // namespace frgan
