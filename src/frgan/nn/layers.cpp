#include "frgan/nn/layers.h"

#include <fmt/format.h>

#include "frgan/device/random.h"
#include "frgan/nn/activation.h"
#include "frgan/nn/convolution.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {
namespace {

double flop_of(int64_t multiply_adds) {
  return 2.0 * static_cast<double>(multiply_adds);
}

// Output side of a convolution on an image of `size` pixels a side.
int64_t convolved(int64_t size, int64_t kernel, int64_t stride, int64_t padding) {
  return (size + 2 * padding - kernel) / stride + 1;
}

// "3x3 convolution to 64, stride 2"
std::string convolution_text(int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  return fmt::format("{0}x{0} convolution to {1}, stride {2}{3}", kernel, out, stride,
                     kernel > 1 && padding == 0 ? ", no padding" : "");
}

LayerDescription unchanged(std::string text, const std::vector<int64_t>& input, int64_t parameters = 0) {
  return {.name = {}, .text = std::move(text), .output = input, .parameters = parameters};
}

}  // namespace

Activation DropoutLayer::fused_with(double slope, const ForwardPass& pass) const {
  return {.slope = slope,
          .dropout = pass.stochastic ? p_ : 0.0,
          .dropout_key = random_key(pass.dropout_key, Stream::kDropout, number_)};
}

at::Tensor DropoutLayer::forward(const at::Tensor& x, const ForwardPass& pass) {
  if (fused_) return x;
  const Activation activation = fused_with(1, pass);
  return dropout(x, activation.dropout, activation.dropout_key);
}

LayerDescription DropoutLayer::describe(const std::vector<int64_t>& input) const {
  return unchanged(fmt::format("dropout {}", p_), input);
}

GraphValue DropoutLayer::add_to(GraphBuilder& /*graph*/, const GraphValue& x) const {
  return x;
}

void WeightNormConvolution::fuse(const std::shared_ptr<DropoutLayer>& dropout) {
  dropout_ = dropout;
  dropout_->fuse();
}

at::Tensor WeightNormConvolution::forward(const at::Tensor& x, const ForwardPass& pass) {
  return WeightNormConv2dImpl::forward(x, pass,
                                       dropout_ ? dropout_->fused_with(slope_, pass) : Activation{.slope = slope_});
}

LayerDescription WeightNormConvolution::describe(const std::vector<int64_t>& input) const {
  const Options& layer = options();
  const int64_t size = convolved(input.at(1), layer.kernel, layer.stride, layer.padding);
  return {.name = {},
          .text = fmt::format("{}, weight norm{}, leaky ReLU {}",
                              convolution_text(layer.out, layer.kernel, layer.stride, layer.padding),
                              layer.mean_only ? " and mean-only batch norm" : "", slope_),
          .output = {layer.out, size, size},
          .parameters = parameter_count(*this),
          .flop = flop_of(size * size * direction.numel())};
}

GraphValue WeightNormConvolution::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.leaky_relu(WeightNormConv2dImpl::add_to(graph, x), slope_);
}

BatchNormConvolution::BatchNormConvolution(int64_t in, int64_t out, int64_t kernel, int64_t padding, double slope,
                                           WeightSource& source)
    : weight_(register_parameter("weight", source.draw_he({out, in, kernel, kernel}, in * kernel * kernel))),
      norm_(register_module("norm", BatchNorm(out, /*decay=*/0.99, /*epsilon=*/1e-6))),
      padding_(padding),
      slope_(slope) {}

at::Tensor BatchNormConvolution::forward(const at::Tensor& x, const ForwardPass& pass) {
  return at::leaky_relu(norm_->forward(convolution(x, weight_, /*stride=*/1, padding_, pass), pass), slope_);
}

LayerDescription BatchNormConvolution::describe(const std::vector<int64_t>& input) const {
  const int64_t kernel = weight_.size(2), size = convolved(input.at(1), kernel, 1, padding_);
  return {.name = {},
          .text = fmt::format("{}, batch norm, leaky ReLU {}", convolution_text(weight_.size(0), kernel, 1, padding_),
                              slope_),
          .output = {weight_.size(0), size, size},
          .parameters = parameter_count(*this),
          .flop = flop_of(size * size * weight_.numel())};
}

GraphValue BatchNormConvolution::add_to(GraphBuilder& graph, const GraphValue& x) const {
  const std::string kernel = graph.weight(graph.local("weight"), weight_);
  const GraphValue y = graph.convolution(x, kernel, /*bias=*/"", weight_.sizes().vec(), /*stride=*/1,
                                         {padding_, padding_, padding_, padding_});
  return graph.leaky_relu(norm_->add_to(graph, y, "norm"), slope_);
}

at::Tensor BatchNormActivation::forward(const at::Tensor& x, const ForwardPass& pass) {
  return at::leaky_relu(BatchNormImpl::forward(x, pass), slope_);
}

LayerDescription BatchNormActivation::describe(const std::vector<int64_t>& input) const {
  return unchanged(fmt::format("batch norm, leaky ReLU {}", slope_), input, parameter_count(*this));
}

GraphValue BatchNormActivation::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.leaky_relu(BatchNormImpl::add_to(graph, x, /*name=*/""), slope_);
}

at::Tensor SqueezeExcitationLayer::forward(const at::Tensor& x, const ForwardPass& /*pass*/) {
  return SqueezeExcitationImpl::forward(x);
}

LayerDescription SqueezeExcitationLayer::describe(const std::vector<int64_t>& input) const {
  const int64_t channels = input.front(), hidden = squeeze_weight.size(0);
  LayerDescription layer = unchanged(fmt::format("squeeze-and-excitation, {} to {} to {}{}", channels, hidden, channels,
                                                 squeeze_bias.defined() ? ", biases" : ""),
                                     input, parameter_count(*this));
  layer.flop = flop_of(squeeze_weight.numel() + excite_weight.numel());
  return layer;
}

GraphValue SqueezeExcitationLayer::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return SqueezeExcitationImpl::add_to(graph, x);
}

at::Tensor MaxPooling::forward(const at::Tensor& x, const ForwardPass& /*pass*/) {
  return at::max_pool2d(x, 2);
}

LayerDescription MaxPooling::describe(const std::vector<int64_t>& input) const {
  return unchanged("2x2 max pooling", {input.at(0), input.at(1) / 2, input.at(2) / 2});
}

GraphValue MaxPooling::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.max_pool(x, /*kernel=*/2, /*stride=*/2, /*padding=*/0);
}

at::Tensor GlobalMeanPooling::forward(const at::Tensor& x, const ForwardPass& /*pass*/) {
  return (x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x).mean({2, 3});
}

LayerDescription GlobalMeanPooling::describe(const std::vector<int64_t>& input) const {
  return unchanged("global mean pooling: the features", {input.front()});
}

GraphValue GlobalMeanPooling::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.mean(x, {2, 3}, /*keep=*/false);
}

at::Tensor Flattening::forward(const at::Tensor& x, const ForwardPass& /*pass*/) {
  return x.flatten(1);
}

LayerDescription Flattening::describe(const std::vector<int64_t>& input) const {
  int64_t count = 1;
  for (const int64_t size : input) count *= size;
  return unchanged(fmt::format("flatten to {}", count), {count});
}

GraphValue Flattening::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.reshape(x, describe(x.shape).output);
}

at::Tensor WeightNormDense::forward(const at::Tensor& x, const ForwardPass& pass) {
  return at::leaky_relu(WeightNormLinearImpl::forward(x, pass), slope_);
}

LayerDescription WeightNormDense::describe(const std::vector<int64_t>& /*input*/) const {
  const int64_t out = direction.size(0);
  return {.name = {},
          .text = fmt::format("dense to {}, weight norm, leaky ReLU {}", out, slope_),
          .output = {out},
          .parameters = parameter_count(*this),
          .flop = flop_of(direction.numel())};
}

GraphValue WeightNormDense::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.leaky_relu(WeightNormLinearImpl::add_to(graph, x), slope_);
}

at::Tensor WeightNormLogits::forward(const at::Tensor& x, const ForwardPass& pass) {
  return WeightNormLinearImpl::forward(x, pass);
}

LayerDescription WeightNormLogits::describe(const std::vector<int64_t>& /*input*/) const {
  const int64_t out = direction.size(0);
  return {.name = {},
          .text = fmt::format("dense to {} logits, weight norm{}", out,
                              running_mean.defined() ? " and mean-only batch norm" : ""),
          .output = {out},
          .parameters = parameter_count(*this),
          .flop = flop_of(direction.numel())};
}

GraphValue WeightNormLogits::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return WeightNormLinearImpl::add_to(graph, x);
}

DenseLogits::DenseLogits(int64_t in, int64_t out, WeightSource& source)
    : weight_(register_parameter("weight", source.draw({out, in}, in, out))),
      bias_(register_parameter("bias", at::zeros({out}))) {}

at::Tensor DenseLogits::forward(const at::Tensor& x, const ForwardPass& /*pass*/) {
  return at::linear(x.to(weight_.scalar_type()), weight_, bias_);
}

LayerDescription DenseLogits::describe(const std::vector<int64_t>& /*input*/) const {
  return {.name = {},
          .text = fmt::format("dense to {} logits", weight_.size(0)),
          .output = {weight_.size(0)},
          .parameters = parameter_count(*this),
          .flop = flop_of(weight_.numel())};
}

GraphValue DenseLogits::add_to(GraphBuilder& graph, const GraphValue& x) const {
  return graph.dense(x, graph.weight(graph.local("weight"), weight_), graph.weight(graph.local("bias"), bias_),
                     weight_.size(0));
}

}  // namespace frgan
