#include "frgan/nn/conv_large.h"

#include <memory>
#include <string>

#include "frgan/nn/layers.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kConvLarge = 4;  // random stream of the weights
constexpr double kConvLargeSlope = 0.1;

}  // namespace

ConvLarge::ConvLarge(const NetworkOptions& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization) {
  WeightSource source(WeightInit::kNormal, seed, kConvLarge);
  const bool weight_norm = options.conv_large_norm == ConvLargeNorm::kWeightNorm;
  const auto add_convolution = [&](const std::string& name, int64_t channels, int64_t kernel = 3, int64_t padding = 1) {
    const int64_t in = output().front(), out = scaled_channels(channels, options.width);
    if (weight_norm) {
      const WeightNormConv2dImpl::Options layer{
          .in = in, .out = out, .kernel = kernel, .padding = padding, .mean_only = true};
      add(name, std::make_shared<WeightNormConvolution>(layer, kConvLargeSlope, source));
    } else {
      add(name, std::make_shared<BatchNormConvolution>(in, out, kernel, padding, kConvLargeSlope, source));
    }
  };
  const auto end_block = [&](const std::string& number, uint64_t dropout) {
    add("max_pool" + number, std::make_shared<MaxPooling>());
    add("dropout" + number, std::make_shared<DropoutLayer>(options.conv_large_dropout, dropout));
  };
  for (const char* name : {"conv1", "conv2", "conv3"}) add_convolution(name, 128);
  end_block("1", 1);
  for (const char* name : {"conv4", "conv5", "conv6"}) add_convolution(name, 256);
  end_block("2", 2);
  add_convolution("conv7", 512, 3, 0);
  add_convolution("nin1", 256, 1, 0);
  add_convolution("nin2", 128, 1, 0);
  add("pool", std::make_shared<GlobalMeanPooling>());
  const int64_t features = output().front(), outputs = shape.classes + (options.explicit_fake_class ? 1 : 0);
  if (weight_norm) {
    add("dense", std::make_shared<WeightNormLogits>(features, outputs, /*initial_std=*/1, source, /*mean_only=*/true));
  } else {
    add("dense", std::make_shared<DenseLogits>(features, outputs, source));
  }
}

}  // namespace frgan
