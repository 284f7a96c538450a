#include "frgan/nn/weight_norm.h"

#include <cmath>

#include <ATen/ops/_weight_norm.h>
#include <ATen/record_function.h>

#include "frgan/device/random.h"
#include "frgan/nn/activation.h"
#include "frgan/nn/batch_norm.h"
#include "frgan/nn/convolution.h"
#include "frgan/nn/phase_convolution.h"
#include "frgan/nn/winograd.h"

namespace frgan {
namespace {

std::vector<int64_t> all_dimensions_except(const at::Tensor& tensor, int64_t excluded) {
  std::vector<int64_t> dimensions;
  for (int64_t dimension = 0; dimension < tensor.dim(); ++dimension) {
    if (dimension != excluded) dimensions.push_back(dimension);
  }
  return dimensions;
}

// Views a 1-D tensor as one with `dimensions` dimensions, of which only `dimension` is larger than 1.
at::Tensor broadcastable(const at::Tensor& units, int64_t dimension, int64_t dimensions) {
  std::vector<int64_t> shape(dimensions, 1);
  shape[dimension] = -1;
  return units.view(shape);
}

}  // namespace

at::Tensor WeightSource::draw(at::IntArrayRef shape, int64_t fan_in, int64_t fan_out) {
  const uint64_t key = random_key(seed_, Stream::kWeights, network_, layer_++);
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat);
  if (init_ == WeightInit::kNormal) return random_normal(shape, key, options) * 0.05;
  const double bound = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
  return random_uniform(shape, -bound, bound, key, options);
}

at::Tensor WeightSource::draw_he(at::IntArrayRef shape, int64_t fan) {
  const uint64_t key = random_key(seed_, Stream::kWeights, network_, layer_++);
  return random_normal(shape, key, at::TensorOptions().dtype(at::kFloat)) * std::sqrt(2.0 / static_cast<double>(fan));
}

WeightNormImpl::WeightNormImpl(at::Tensor initial_direction, int64_t output_dimension, double initial_std,
                               bool train_gain, bool mean_only)
    : output_dimension_(output_dimension), initial_std_(initial_std) {
  const int64_t out = initial_direction.size(output_dimension);
  direction = register_parameter("direction", std::move(initial_direction));
  if (train_gain) {
    gain = register_parameter("gain", at::ones({out}));
  } else {
    gain = register_buffer("gain", at::ones({out}));
  }
  bias = register_parameter("bias", at::zeros({out}));
  if (mean_only) running_mean = register_buffer("running_mean", at::zeros({out}));
}

at::Tensor WeightNormImpl::unit_weight() const {
  const auto dimensions = all_dimensions_except(direction, output_dimension_);
  return direction / direction.square().sum(dimensions, /*keepdim=*/true).sqrt();
}

at::Tensor WeightNormImpl::weight() const {
  RECORD_FUNCTION("frgan::weight_norm", c10::ArrayRef<const c10::IValue>{});
  // One fused operator instead of five, in both directions (unless output_dimension_ is 1). Not for double, where it
  // has float accuracy only.
  if (direction.is_cuda() && direction.scalar_type() == at::kFloat) {
    return at::_weight_norm(direction, broadcastable(gain, output_dimension_, direction.dim()), output_dimension_);
  }
  const auto dimensions = all_dimensions_except(direction, output_dimension_);
  const at::Tensor norm = direction.square().sum(dimensions, /*keepdim=*/true).sqrt();
  return direction * (broadcastable(gain, output_dimension_, direction.dim()) / norm);
}

void WeightNormImpl::initialize_from(const at::Tensor& response) {
  const torch::NoGradGuard no_grad;
  const at::Tensor values = response.to(gain.scalar_type());
  const auto dimensions = all_dimensions_except(values, 1);
  const at::Tensor mean = values.mean(dimensions);
  const at::Tensor variance = (values - broadcastable(mean, 1, values.dim())).square().mean(dimensions);
  const at::Tensor scale = initial_std_ * variance.clamp_min(1e-12).rsqrt();
  gain.copy_(scale);
  if (running_mean.defined()) {
    running_mean.copy_(mean * scale);
  } else {
    bias.copy_(-mean * scale);
  }
}

WeightNormImpl::FoldedNames WeightNormImpl::add_folded(GraphBuilder& graph) const {
  return {graph.weight(graph.local("weight"), weight()),
          graph.weight(graph.local("bias"), running_mean.defined() ? bias - running_mean : bias)};
}

void WeightNormImpl::set_folded(const at::Tensor& weight, const at::Tensor& shift) {
  const torch::NoGradGuard no_grad;
  direction.copy_(weight.view_as(direction));
  gain.copy_(direction.square().sum(all_dimensions_except(direction, output_dimension_)).sqrt());
  bias.copy_(shift.view_as(bias));
  if (running_mean.defined()) running_mean.zero_();
}

at::Tensor WeightNormImpl::shift(const at::Tensor& response, const ForwardPass& pass) const {
  constexpr double kMeanDecay = 0.999;  // of the running mean
  if (!running_mean.defined()) return bias;
  if (pass.statistics == BatchStatistics::kRunning) return bias - running_mean;
  // A sum, because the backward pass of LibTorch's mean needs the responses, which the activation overwrites.
  const at::Tensor sum = response.sum(all_dimensions_except(response, 1), /*keepdim=*/false, bias.scalar_type());
  const at::Tensor mean = sum / (static_cast<double>(response.numel()) / static_cast<double>(response.size(1)));
  if (pass.statistics == BatchStatistics::kBatchAndTrack) track(running_mean, mean.detach(), kMeanDecay, pass);
  return bias - mean;
}

WeightNormConv2dImpl::WeightNormConv2dImpl(const Options& options, WeightSource& source)
    : WeightNormImpl(
          source.draw({options.out, options.in, options.kernel, options.kernel},
                      options.in * options.kernel * options.kernel, options.out * options.kernel * options.kernel),
          0, options.initial_std, options.train_gain, options.mean_only),
      options_(options) {}

at::Tensor WeightNormConv2dImpl::forward(const at::Tensor& x, const ForwardPass& pass, const Activation& activation) {
  const int64_t stride = options_.stride, padding = options_.padding;
  if (pass.initialize) initialize_from(convolution(x, unit_weight(), stride, padding, pass));
  const at::Tensor input = cast_for(pass, x), w = weight();
  if (activation.dropout == 0 && !options_.mean_only && has_winograd(input, w, stride, padding)) {
    return winograd_convolution(input, w, padding, bias, activation.slope);
  }
  const at::Tensor response = convolution(input, w, stride, padding, pass);
  return bias_leaky_relu_dropout_(response, shift(response, pass), activation.slope, activation.dropout,
                                  activation.dropout_key);
}

GraphValue WeightNormConv2dImpl::add_to(GraphBuilder& graph, const GraphValue& x) const {
  const auto [kernel, shift] = add_folded(graph);
  const int64_t padding = options_.padding;
  return graph.convolution(x, kernel, shift, direction.sizes().vec(), options_.stride,
                           {padding, padding, padding, padding});
}

WeightNormDeconv2dImpl::WeightNormDeconv2dImpl(int64_t in, int64_t out, double initial_std, bool train_gain,
                                               WeightSource& source)
    : WeightNormImpl(source.draw({in, out, 5, 5}, in * 25, out * 25), 1, initial_std, train_gain) {}

at::Tensor WeightNormDeconv2dImpl::forward(const at::Tensor& x, const ForwardPass& pass) {
  const auto convolve = [&](const at::Tensor& w) { return phase_convolution(x, w, pass); };
  if (pass.initialize) initialize_from(convolve(unit_weight()));
  return convolve(weight()).to(bias.scalar_type()) + bias.view({1, -1, 1, 1});
}

WeightNormLinearImpl::WeightNormLinearImpl(int64_t in, int64_t out, double initial_std, bool train_gain,
                                           WeightSource& source, bool mean_only)
    : WeightNormImpl(source.draw({out, in}, in, out), 0, initial_std, train_gain, mean_only) {}

at::Tensor WeightNormLinearImpl::forward(const at::Tensor& x, const ForwardPass& pass) {
  const at::Tensor input = x.to(bias.scalar_type());
  if (pass.initialize) initialize_from(at::linear(input, unit_weight()));
  if (!running_mean.defined()) return at::linear(input, weight(), bias);
  const at::Tensor response = at::linear(input, weight());
  return response + shift(response, pass);
}

GraphValue WeightNormLinearImpl::add_to(GraphBuilder& graph, const GraphValue& x) const {
  const auto [matrix, shift] = add_folded(graph);
  return graph.dense(x, matrix, shift, direction.size(0));
}

}  // namespace frgan
