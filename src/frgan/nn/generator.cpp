#include "frgan/nn/generator.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "frgan/nn/named_tensors.h"
#include "frgan/nn/phase_convolution.h"

namespace frgan {
namespace {

constexpr uint64_t kGeneratorNetwork = 2;  // random stream of the weights

}  // namespace

void describe(OptionSet& options, GeneratorOptions& generator) {
  options.group("Network");
  options.add("noise-size", generator.noise_size, "Length of the generator's noise vector.",
              Range<int64_t>{1, 4096, "numbers"});
  options.add("gen-width", generator.gen_width,
              "Channels of the generator's first feature map before --width applies; Table 1 has 512, the paper's text "
              "1024 (A5: generator width). The next two maps have 1/2 and 1/4 of them.",
              Range<int64_t>{4, 4096, "channels"});
  options.add("gen-order", generator.gen_order,
              "Order in the generator after each layer but the last: bn_relu is batch norm, then ReLU; relu_bn is the "
              "order in which Table 1 names them (A34: generator order).",
              Words<GeneratorOrder>{"bn_relu", "relu_bn"});
}

BatchNormImpl::BatchNormImpl(int64_t units) {
  weight = register_parameter("weight", at::ones({units}));
  bias = register_parameter("bias", at::zeros({units}));
  running_mean = register_buffer("running_mean", at::zeros({units}));
  running_var = register_buffer("running_var", at::ones({units}));
}

at::Tensor BatchNormImpl::forward(const at::Tensor& x, BatchStatistics statistics) {
  const bool from_batch = statistics != BatchStatistics::kRunning;
  const bool tracked = statistics != BatchStatistics::kBatch;
  return at::batch_norm(x, weight, bias, tracked ? running_mean : at::Tensor(), tracked ? running_var : at::Tensor(),
                        from_batch, /*momentum=*/0.1, /*eps=*/1e-5, /*cudnn_enabled=*/true);
}

GeneratorImpl::GeneratorImpl(const GeneratorOptions& options, const ImageShape& shape, double width, WeightInit init,
                             uint64_t seed)
    : order_(options.gen_order),
      first_size_(shape.image_size / 8),
      first_channels_(std::max<int64_t>(4, std::lround(static_cast<double>(options.gen_width) * width))) {
  WeightSource source(init, seed, kGeneratorNetwork);
  const int64_t c0 = first_channels_, c1 = c0 / 2, c2 = c0 / 4, units = c0 * first_size_ * first_size_;
  dense_weight =
      register_parameter("dense_weight", source.draw({units, options.noise_size}, options.noise_size, units));
  norm0_ = register_module("norm0", BatchNorm(units));
  deconv1_weight = register_parameter("deconv1_weight", source.draw({c0, c1, 5, 5}, c0 * 25, c1 * 25));
  norm1_ = register_module("norm1", BatchNorm(c1));
  deconv2_weight = register_parameter("deconv2_weight", source.draw({c1, c2, 5, 5}, c1 * 25, c2 * 25));
  norm2_ = register_module("norm2", BatchNorm(c2));
  deconv3_ = register_module("deconv3",
                             WeightNormDeconv2d(c2, shape.channels, /*initial_std=*/0.1, /*train_gain=*/true, source));
}

at::Tensor GeneratorImpl::forward(const at::Tensor& noise, BatchStatistics statistics, const ForwardPass& pass) {
  const auto activated = [&](const at::Tensor& x, BatchNorm& norm) {
    return order_ == GeneratorOrder::kBatchNormThenRelu ? norm->forward(x, statistics).relu_()
                                                        : norm->forward(at::relu(x), statistics);
  };
  const auto upsampled = [&](const at::Tensor& x, const at::Tensor& weight) {
    return phase_convolution(x, weight, pass);
  };
  at::Tensor x = activated(at::linear(cast_for(pass, noise), cast_for(pass, dense_weight)), norm0_);
  x = x.view({-1, first_channels_, first_size_, first_size_}).contiguous(at::MemoryFormat::ChannelsLast);
  x = activated(upsampled(x, deconv1_weight), norm1_);
  x = activated(upsampled(x, deconv2_weight), norm2_);
  return at::tanh(deconv3_->forward(x, pass));
}

double GeneratorImpl::forward_flop() const {
  int64_t multiply_adds = dense_weight.numel(), pixels = first_size_ * first_size_;
  for (const at::Tensor& weight : {deconv1_weight, deconv2_weight, deconv3_->direction}) {
    multiply_adds += pixels * weight.numel();  // each input pixel is multiplied with all 25 taps
    pixels *= 4;
  }
  return 2.0 * static_cast<double>(multiply_adds);
}

std::vector<LayerDescription> GeneratorImpl::layers() const {
  const std::string activation = order_ == GeneratorOrder::kBatchNormThenRelu ? "batch norm, ReLU" : "ReLU, batch norm";
  int64_t channels = first_channels_, size = first_size_;
  const int64_t units = dense_weight.size(0);
  std::vector<LayerDescription> layers = {
      {"dense",
       fmt::format("dense {} to {}, {}", dense_weight.size(1), units, activation),
       {units},
       dense_weight.numel() + parameter_count(*norm0_)},
      {"reshape", fmt::format("reshape to {}x{}x{}", channels, size, size), {channels, size, size}, 0}};
  const auto add = [&](const std::string& name, const at::Tensor& weight, const std::string& after,
                       int64_t parameters) {
    channels = weight.size(1);
    size *= 2;
    layers.push_back({name,
                      fmt::format("5x5 transposed convolution to {}, stride 2, {}", channels, after),
                      {channels, size, size},
                      parameters});
  };
  add("deconv1", deconv1_weight, activation, deconv1_weight.numel() + parameter_count(*norm1_));
  add("deconv2", deconv2_weight, activation, deconv2_weight.numel() + parameter_count(*norm2_));
  add("deconv3", deconv3_->direction, "weight norm, tanh", parameter_count(*deconv3_));
  return layers;
}

}  // namespace frgan
