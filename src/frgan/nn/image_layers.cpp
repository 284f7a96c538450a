#include "frgan/nn/image_layers.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "frgan/nn/convolution.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {
namespace {

// Zeros before and after a line of n pixels.
std::pair<int64_t, int64_t> padding_of(const Convolution2dOptions& options, int64_t n) {
  const int64_t symmetric = (options.kernel - 1) / 2;
  if (options.padding == Padding::kNone) return {0, 0};
  if (options.padding == Padding::kSymmetric) return {symmetric, symmetric};
  const int64_t outputs = (n + options.stride - 1) / options.stride;
  const int64_t all = std::max<int64_t>(0, (outputs - 1) * options.stride + options.kernel - n);
  return {all / 2, all - all / 2};
}

int64_t output_pixels(const Convolution2dOptions& options, int64_t n) {
  const auto [before, after] = padding_of(options, n);
  return (n + before + after - options.kernel) / options.stride + 1;
}

}  // namespace

Convolution2dImpl::Convolution2dImpl(const Convolution2dOptions& options, WeightSource& source) : options_(options) {
  const int64_t kernel = options.kernel;
  weight = register_parameter("weight", source.draw_he({options.out, options.in / options.groups, kernel, kernel},
                                                       options.out / options.groups * kernel * kernel));
  if (options.bias) bias = register_parameter("bias", at::zeros({options.out}));
}

at::Tensor Convolution2dImpl::forward(const at::Tensor& x, const ForwardPass& pass) {
  const auto [top, bottom] = padding_of(options_, x.size(2));
  const auto [left, right] = padding_of(options_, x.size(3));
  const bool even = top == bottom && left == right && top == left;
  const at::Tensor padded = even ? x : at::constant_pad_nd(x, {left, right, top, bottom});
  const int64_t padding = even ? top : 0;
  if (options_.groups == 1 && !bias.defined()) return convolution(padded, weight, options_.stride, padding, pass);
  const at::Tensor shift = bias.defined() ? cast_for(pass, bias) : at::Tensor();
  return at::conv2d(cast_for(pass, padded), cast_for(pass, weight), shift, options_.stride, padding, /*dilation=*/1,
                    options_.groups);
}

GraphValue Convolution2dImpl::add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const {
  const auto [top, bottom] = padding_of(options_, x.shape.at(1));
  const auto [left, right] = padding_of(options_, x.shape.at(2));
  const std::string kernel = graph.weight(graph.local(name, "weight"), weight);
  const std::string shift = bias.defined() ? graph.weight(graph.local(name, "bias"), bias) : "";
  return graph.convolution(x, kernel, shift, weight.sizes().vec(), options_.stride, {top, left, bottom, right},
                           options_.groups);
}

std::vector<int64_t> Convolution2dImpl::output(const std::vector<int64_t>& input) const {
  return {options_.out, output_pixels(options_, input.at(1)), output_pixels(options_, input.at(2))};
}

double Convolution2dImpl::flop(const std::vector<int64_t>& input) const {
  const std::vector<int64_t> result = output(input);
  return 2.0 * static_cast<double>(result[1] * result[2] * weight.numel());
}

DenseImpl::DenseImpl(int64_t in, int64_t out, WeightSource& source)
    : weight(register_parameter("weight", source.draw({out, in}, in, out))),
      bias(register_parameter("bias", at::zeros({out}))) {}

at::Tensor DenseImpl::forward(const at::Tensor& x, const ForwardPass& pass) {
  return at::linear(cast_for(pass, x), cast_for(pass, weight), cast_for(pass, bias));
}

GraphValue DenseImpl::add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const {
  const std::string matrix = graph.weight(graph.local(name, "weight"), weight);
  return graph.dense(x, matrix, graph.weight(graph.local(name, "bias"), bias), weight.size(0));
}

LayerNormImpl::LayerNormImpl(int64_t units, double epsilon)
    : weight(register_parameter("weight", at::ones({units}))),
      bias(register_parameter("bias", at::zeros({units}))),
      epsilon_(epsilon) {}

at::Tensor LayerNormImpl::forward(const at::Tensor& x) {
  return at::layer_norm(x.to(weight.scalar_type()), weight.sizes(), weight, bias, epsilon_);
}

at::Tensor LayerNormImpl::over_channels(const at::Tensor& images) {
  return forward(images.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
}

// Operator set 13 has no layer norm.
GraphValue LayerNormImpl::add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const {
  const auto last = static_cast<int64_t>(x.shape.size());
  const GraphValue centered = graph.subtract(x, graph.mean(x, {last}, /*keep=*/true).name);
  const GraphValue variance = graph.mean(graph.multiply(centered, centered.name), {last}, /*keep=*/true);
  const GraphValue shifted = graph.add(variance, graph.number(epsilon_));
  const GraphValue deviation = graph.apply("Sqrt", {shifted.name}, shifted.shape);
  const GraphValue normalized = graph.apply("Div", {centered.name, deviation.name}, x.shape);
  const GraphValue scaled = graph.multiply(normalized, graph.weight(graph.local(name, "weight"), weight));
  return graph.add(scaled, graph.weight(graph.local(name, "bias"), bias));
}

FeedForwardImpl::FeedForwardImpl(int64_t units, int64_t hidden, WeightSource& source)
    : fc1(register_module("fc1", Dense(units, hidden, source))),
      fc2(register_module("fc2", Dense(hidden, units, source))) {}

at::Tensor FeedForwardImpl::forward(const at::Tensor& x, const ForwardPass& pass) {
  return fc2->forward(at::gelu(fc1->forward(x, pass)), pass);
}

GraphValue FeedForwardImpl::add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const {
  const std::string prefix = name.empty() ? "" : name + ".";
  return fc2->add_to(graph, graph.gelu(fc1->add_to(graph, x, prefix + "fc1")), prefix + "fc2");
}

at::Tensor ConvolutionLayer::forward(const at::Tensor& x, const ForwardPass& pass) {
  return Convolution2dImpl::forward(x, pass);
}

LayerDescription ConvolutionLayer::describe(const std::vector<int64_t>& input) const {
  const std::vector<int64_t> result = output(input);
  return {.name = {},
          .text = fmt::format("{0}x{0} convolution to {1}, stride {2}", weight.size(2), weight.size(0), stride()),
          .output = result,
          .parameters = parameter_count(*this),
          .flop = flop(input)};
}

GraphValue ConvolutionLayer::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return Convolution2dImpl::add_to(graph, x, /*name=*/"");
}

at::Tensor rectified(const at::Tensor& x, Rectifier rectifier) {
  if (rectifier == Rectifier::kNone) return x;
  return rectifier == Rectifier::kRelu ? at::relu(x) : at::clamp(x, 0, 6);
}

GraphValue rectified(GraphBuilder& graph, const GraphValue& x, Rectifier rectifier) {
  if (rectifier == Rectifier::kNone) return x;
  return rectifier == Rectifier::kRelu ? graph.relu(x) : graph.clip(x, 0, 6);
}

at::Tensor BatchNormRectifier::forward(const at::Tensor& x, const ForwardPass& pass) {
  return rectified(BatchNormImpl::forward(x, pass), rectifier_);
}

LayerDescription BatchNormRectifier::describe(const std::vector<int64_t>& input) const {
  return {.name = {},
          .text = rectifier_ == Rectifier::kRelu6 ? "batch norm, ReLU6" : "batch norm, ReLU",
          .output = input,
          .parameters = parameter_count(*this)};
}

GraphValue BatchNormRectifier::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return rectified(graph, BatchNormImpl::add_to(graph, x, /*name=*/""), rectifier_);
}

at::Tensor LayerNormLayer::forward(const at::Tensor& x, const ForwardPass& /*pass*/) {
  return x.dim() == 4 ? over_channels(x) : LayerNormImpl::forward(x);
}

LayerDescription LayerNormLayer::describe(const std::vector<int64_t>& input) const {
  return {.name = {}, .text = "layer norm", .output = input, .parameters = parameter_count(*this)};
}

GraphValue LayerNormLayer::add_to(GraphBuilder& graph, const GraphValue& x) const {
  if (x.shape.size() != 3) return LayerNormImpl::add_to(graph, x, /*name=*/"");
  const GraphValue pixels = graph.transpose(x, {0, 2, 3, 1});
  return graph.transpose(LayerNormImpl::add_to(graph, pixels, /*name=*/""), {0, 3, 1, 2});
}

at::Tensor OverlappingMaxPooling::forward(const at::Tensor& x, const ForwardPass& /*pass*/) {
  return at::max_pool2d(x, /*kernel_size=*/3, /*stride=*/2, /*padding=*/1);
}

LayerDescription OverlappingMaxPooling::describe(const std::vector<int64_t>& input) const {
  return {.name = {},
          .text = "3x3 max pooling, stride 2",
          .output = {input.at(0), (input.at(1) - 1) / 2 + 1, (input.at(2) - 1) / 2 + 1}};
}

GraphValue OverlappingMaxPooling::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.max_pool(x, /*kernel=*/3, /*stride=*/2, /*padding=*/1);
}

LayerDescription describe_block(const torch::nn::Module& block, std::string text, const std::vector<int64_t>& input,
                                const std::vector<BlockPart>& parts) {
  LayerDescription layer{.name = {}, .text = std::move(text), .output = input, .parameters = parameter_count(block)};
  for (const auto& [convolution, from_input] : parts) {
    layer.flop += convolution->flop(from_input ? input : layer.output);
    if (!from_input) layer.output = convolution->output(layer.output);
  }
  return layer;
}

}  // namespace frgan
