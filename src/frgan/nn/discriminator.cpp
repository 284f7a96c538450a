#include "frgan/nn/discriminator.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "frgan/device/random.h"
#include "frgan/nn/activation.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {
namespace {

constexpr uint64_t kNetwork = 1;  // random stream of the weights
// A separate random stream for squeeze-and-excitation: the initial weights of other layers do not depend on it.
constexpr uint64_t kSqueezeExcitation = 3;
// Layer number of the input dropout. Dropout after a convolution uses the index of the convolution.
constexpr uint64_t kInputDropout = 100;

int64_t scaled(int64_t channels, double width) {
  return std::max<int64_t>(1, std::lround(static_cast<double>(channels) * width));
}

uint64_t layer_key(const ForwardPass& pass, uint64_t layer) {
  return random_key(pass.dropout_key, Stream::kDropout, layer);
}

}  // namespace

void describe(OptionSet& options, DiscriminatorOptions& discriminator) {
  options.group("Network");
  options.add("width", discriminator.width, "Factor on all channel counts of Table 1.", Range<double>{1.0 / 64, 8});
  options.add(
      "pooling", discriminator.pooling,
      "Downsampling in each block: stride 2 in its third convolution, or 2x2 max pooling after it (A2: downsampling).",
      Words<Pooling>{"stride", "max"});
  options.add("se-position", discriminator.se_position,
              "Position of the squeeze-and-excitation block; block2 is the position in Table 1 (A3: SE position).",
              Words<SePosition>{"none", "block1", "block2", "after_conv256", "all"});
  options.add("se-reduction", discriminator.se_reduction,
              "Reduction ratio r of squeeze-and-excitation: its hidden layer has C/r units for C channels, and at "
              "least --se-min-hidden (A3: SE position).",
              Range<int64_t>{1, 1024});
  options.add(
      "se-min-hidden", discriminator.se_min_hidden,
      "Smallest number of hidden units of squeeze-and-excitation; it applies where C/r is smaller (A3: SE position).",
      Range<int64_t>{1, 1024, "units"});
  options.add("se-bias", discriminator.se_bias,
              "Adds biases to the layers of squeeze-and-excitation; eq. 11 has none (A4: SE biases).");
  options.add("leaky-slope", discriminator.slope, "Slope of leaky ReLU for negative inputs (A19: leaky ReLU slope).",
              Range<double>{0.001, 1});
  options.add("input-dropout", discriminator.input_dropout,
              "Dropout probability on the input image (A1: input dropout).", Range<double>{0, 0.95});
  options.add("block-dropout", discriminator.block_dropout,
              "Dropout probability at the end of both convolution blocks, after squeeze-and-excitation (Table 1).",
              Range<double>{0, 0.95});
  options.add(
      "init", discriminator.init,
      "Distribution of the initial weights: xavier is Xavier uniform, normal is N(0, 0.05^2) (A17: initial weights).",
      Words<WeightInit>{"xavier", "normal"});
  options.add("train-gain", discriminator.train_gain,
              "Trains the gains of the hidden weight-normalized layers (A31: data-dependent initialization).");
  options.add("explicit-fake-class", discriminator.explicit_fake_class,
              "Trains the logit of the generated class, so that the network has K+1 logits; otherwise that logit is 0 "
              "(A23: number of logits).");
}

int64_t squeeze_units(const DiscriminatorOptions& options, int64_t channels) {
  return std::max(options.se_min_hidden, channels / options.se_reduction);
}

DiscriminatorImpl::DiscriminatorImpl(const DiscriminatorOptions& options, const ImageShape& shape, uint64_t seed)
    : options_(options), shape_(shape) {
  WeightSource source(options.init, seed, kNetwork), squeeze_source(options.init, seed, kSqueezeExcitation);
  const int64_t c64 = scaled(64, options.width), c128 = scaled(128, options.width), c256 = scaled(256, options.width);
  const int64_t last_stride = options.pooling == Pooling::kStride ? 2 : 1;
  const auto add = [&](const std::string& name, WeightNormConv2dImpl::Options layer) {
    layer.train_gain = options.train_gain;
    convolutions_.push_back(register_module(name, WeightNormConv2d(layer, source)));
  };
  const auto add_squeeze = [&](SePosition position, const std::string& name, int64_t channels) -> SqueezeExcitation {
    if (options.se_position != position && options.se_position != SePosition::kAll) return nullptr;
    return register_module(
        name, SqueezeExcitation(channels, squeeze_units(options, channels), options.se_bias, squeeze_source));
  };
  add("conv1", {.in = shape.channels, .out = c64});
  add("conv2", {.in = c64, .out = c64});
  add("conv3", {.in = c64, .out = c64, .stride = last_stride});
  squeeze_block1_ = add_squeeze(SePosition::kBlock1, "se_block1", c64);
  add("conv4", {.in = c64, .out = c128});
  add("conv5", {.in = c128, .out = c128});
  add("conv6", {.in = c128, .out = c128, .stride = last_stride});
  squeeze_block2_ = add_squeeze(SePosition::kBlock2, "se_block2", c128);
  add("conv7", {.in = c128, .out = c256, .padding = 0});
  squeeze_conv7_ = add_squeeze(SePosition::kAfterConv256, "se_conv7", c256);
  add("nin1", {.in = c256, .out = c128, .kernel = 1, .padding = 0});
  add("nin2", {.in = c128, .out = c128, .kernel = 1, .padding = 0});
  const int64_t outputs = shape.classes + (options.explicit_fake_class ? 1 : 0);
  dense_ = register_module("dense", WeightNormLinear(c128, outputs, /*initial_std=*/0.1, /*train_gain=*/true, source));
}

at::Tensor DiscriminatorImpl::run_convolution(const at::Tensor& x, size_t index, double p, const ForwardPass& pass) {
  return convolutions_[index]->forward(
      x, pass, {.slope = options_.slope, .dropout = pass.stochastic ? p : 0.0, .dropout_key = layer_key(pass, index)});
}

at::Tensor DiscriminatorImpl::run_block(at::Tensor x, size_t first, SqueezeExcitation& squeeze,
                                        const ForwardPass& pass) {
  const bool pooled = options_.pooling == Pooling::kMax;
  const bool fused = !pooled && squeeze.is_empty();  // no layer between activation and dropout
  const double p = pass.stochastic ? options_.block_dropout : 0.0;
  x = run_convolution(x, first, 0, pass);
  x = run_convolution(x, first + 1, 0, pass);
  x = run_convolution(x, first + 2, fused ? p : 0, pass);
  if (pooled) x = at::max_pool2d(x, 2);
  if (!squeeze.is_empty()) x = squeeze->forward(x);
  return fused ? x : dropout(x, p, layer_key(pass, first + 2));
}

Classified DiscriminatorImpl::forward(const at::Tensor& images, const ForwardPass& pass) {
  at::Tensor x =
      dropout(cast_for(pass, images), pass.stochastic ? options_.input_dropout : 0.0, layer_key(pass, kInputDropout));
  x = run_block(x, 0, squeeze_block1_, pass);
  x = run_block(x, 3, squeeze_block2_, pass);
  x = run_convolution(x, 6, 0, pass);
  if (!squeeze_conv7_.is_empty()) x = squeeze_conv7_->forward(x);
  x = run_convolution(x, 7, 0, pass);
  x = run_convolution(x, 8, 0, pass);
  const at::Tensor features = x.to(dense_->bias.scalar_type()).mean({2, 3});
  return {dense_->forward(features, pass), features};
}

double DiscriminatorImpl::forward_flop() const {
  int64_t size = shape_.image_size, multiply_adds = dense_->direction.numel();
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    const WeightNormConv2dImpl::Options& layer = convolutions_[i]->options();
    size = (size + 2 * layer.padding - layer.kernel) / layer.stride + 1;
    multiply_adds += size * size * convolutions_[i]->direction.numel();
    if (options_.pooling == Pooling::kMax && (i == 2 || i == 5)) size /= 2;
  }
  for (const SqueezeExcitation& squeeze : {squeeze_block1_, squeeze_block2_, squeeze_conv7_}) {
    if (!squeeze.is_empty()) multiply_adds += squeeze->squeeze_weight.numel() + squeeze->excite_weight.numel();
  }
  return 2.0 * static_cast<double>(multiply_adds);
}

std::vector<LayerDescription> DiscriminatorImpl::layers() const {
  std::vector<LayerDescription> layers;
  int64_t channels = shape_.channels, size = shape_.image_size;
  const auto add = [&](const std::string& name, std::string text, int64_t parameters = 0) {
    layers.push_back({name, std::move(text), {channels, size, size}, parameters});
  };
  const auto add_squeeze = [&](const std::string& name, const SqueezeExcitation& squeeze) {
    if (squeeze.is_empty()) return;
    add(name,
        fmt::format("squeeze-and-excitation, {} to {} to {}{}", channels, squeeze->squeeze_weight.size(0), channels,
                    options_.se_bias ? ", biases" : ""),
        parameter_count(*squeeze));
  };
  const auto add_dropout = [&](const std::string& name, double p) { add(name, fmt::format("dropout {}", p)); };
  add_dropout("input_dropout", options_.input_dropout);
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    const WeightNormConv2dImpl::Options& layer = convolutions_[i]->options();
    channels = layer.out;
    size = (size + 2 * layer.padding - layer.kernel) / layer.stride + 1;
    const std::string name = i < 7 ? fmt::format("conv{}", i + 1) : fmt::format("nin{}", i - 6);
    const std::string padding = layer.kernel > 1 && layer.padding == 0 ? ", no padding" : "";
    add(name,
        fmt::format("{0}x{0} convolution to {1}, stride {2}{3}, weight norm, leaky ReLU {4}", layer.kernel, layer.out,
                    layer.stride, padding, options_.slope),
        parameter_count(*convolutions_[i]));
    const bool ends_block = i == 2 || i == 5;
    if (ends_block && options_.pooling == Pooling::kMax) {
      size /= 2;
      add(fmt::format("max_pool{}", i / 3 + 1), "2x2 max pooling");
    }
    if (i == 2) add_squeeze("se_block1", squeeze_block1_);
    if (i == 5) add_squeeze("se_block2", squeeze_block2_);
    if (i == 6) add_squeeze("se_conv7", squeeze_conv7_);
    if (ends_block) add_dropout(fmt::format("dropout{}", i / 3 + 1), options_.block_dropout);
  }
  layers.push_back({"pool", "global mean pooling: the features", {channels}, 0});
  const int64_t outputs = dense_->direction.size(0);
  layers.push_back(
      {"dense", fmt::format("dense to {} logits, weight norm", outputs), {outputs}, parameter_count(*dense_)});
  return layers;
}

}  // namespace frgan
