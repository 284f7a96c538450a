#include "frgan/nn/discriminator.h"

#include <algorithm>

#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kNetwork = 1;  // random stream of the weights
// A separate random stream for squeeze-and-excitation: the initial weights of other layers do not depend on it.
constexpr uint64_t kSqueezeExcitation = 3;
constexpr uint64_t kInputDropout = 100;  // number of the dropout of the image

}  // namespace

int64_t squeeze_units(const NetworkOptions& options, int64_t channels) {
  return std::max(options.se_min_hidden, channels / options.se_reduction);
}

Discriminator::Discriminator(const NetworkOptions& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization), options_(options), source_(options.init, seed, kNetwork) {
  WeightSource squeeze_source(options.init, seed, kSqueezeExcitation);
  const int64_t c64 = scaled_channels(64, options.width), c128 = scaled_channels(128, options.width),
                c256 = scaled_channels(256, options.width);
  const auto add_squeeze = [&](SePosition position, const std::string& name) {
    if (options.se_position != position && options.se_position != SePosition::kAll) return;
    const int64_t channels = output().front();
    add(name, std::make_shared<SqueezeExcitationLayer>(channels, squeeze_units(options, channels), options.se_bias,
                                                       squeeze_source));
    ends_with_convolution_ = false;
  };
  const auto add_downsampling = [&](const std::string& convolution, const std::string& pooling) {
    add_convolution(convolution,
                    {.in = 0, .out = output().front(), .stride = options.pooling == Pooling::kStride ? 2 : 1});
    if (options.pooling == Pooling::kStride) return;
    add(pooling, std::make_shared<MaxPooling>());
    ends_with_convolution_ = false;
  };
  add_dropout("input_dropout", options.input_dropout, kInputDropout);
  add_convolution("conv1", {.in = 0, .out = c64});
  add_convolution("conv2", {.in = 0, .out = c64});
  add_downsampling("conv3", "max_pool1");
  add_squeeze(SePosition::kBlock1, "se_block1");
  add_dropout("dropout1", options.block_dropout, 2);
  add_convolution("conv4", {.in = 0, .out = c128});
  add_convolution("conv5", {.in = 0, .out = c128});
  add_downsampling("conv6", "max_pool2");
  add_squeeze(SePosition::kBlock2, "se_block2");
  add_dropout("dropout2", options.block_dropout, 5);
  add_convolution("conv7", {.in = 0, .out = c256, .padding = 0});
  add_squeeze(SePosition::kAfterConv256, "se_conv7");
  add_convolution("nin1", {.in = 0, .out = c128, .kernel = 1, .padding = 0});
  add_convolution("nin2", {.in = 0, .out = c128, .kernel = 1, .padding = 0});
  add("pool", std::make_shared<GlobalMeanPooling>());
  add("dense",
      std::make_shared<WeightNormLogits>(output().front(), shape.classes + (options.explicit_fake_class ? 1 : 0),
                                         /*initial_std=*/0.1, source_));
}

void Discriminator::add_convolution(const std::string& name, WeightNormConv2dImpl::Options layer) {
  layer.in = output().front();
  layer.train_gain = options_.train_gain;
  convolutions_.push_back(std::make_shared<WeightNormConvolution>(layer, options_.slope, source_));
  add(name, convolutions_.back());
  ends_with_convolution_ = true;
}

void Discriminator::add_dropout(const std::string& name, double p, uint64_t number) {
  const auto dropout = std::make_shared<DropoutLayer>(p, number);
  if (ends_with_convolution_) convolutions_.back()->fuse(dropout);
  add(name, dropout);
}

}  // namespace frgan
