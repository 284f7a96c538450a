#include "frgan/nn/wide_resnet.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "frgan/nn/convolution.h"
#include "frgan/nn/image_layers.h"
#include "frgan/nn/layers.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kWideResNet = 5;  // random stream of the weights
constexpr double kResidualSlope = 0.1;
constexpr double kResidualDecay = 0.999;  // of the batch statistics
constexpr double kResidualEpsilon = 1e-5, kLastEpsilon = 1e-3;
constexpr int64_t kBlocks = 4;  // per group: depth 28 = 6 x 4 + 4

// x + f(x), with f: batch norm, leaky ReLU, 3x3 convolution with stride, batch norm, leaky ReLU, 3x3 convolution. Where
// the number of channels changes, a 1x1 convolution maps x, or with `activates_first`, x after batch norm and leaky
// ReLU.
class ResidualBlock : public torch::nn::Module, public Layer {
 public:
  ResidualBlock(int64_t in, int64_t out, int64_t stride, bool activates_first, WeightSource& source)
      : stride_(stride),
        activates_first_(activates_first),
        norm1_(register_module("norm1", BatchNorm(in, kResidualDecay, kResidualEpsilon))),
        norm2_(register_module("norm2", BatchNorm(out, kResidualDecay, kResidualEpsilon))),
        weight1_(register_parameter("weight1", source.draw_he({out, in, 3, 3}, out * 9))),
        weight2_(register_parameter("weight2", source.draw_he({out, out, 3, 3}, out * 9))) {
    if (in != out || stride > 1) shortcut_ = register_parameter("shortcut", source.draw_he({out, in, 1, 1}, out));
  }

  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    const at::Tensor first = at::leaky_relu(norm1_->forward(x, pass), kResidualSlope);
    const at::Tensor hidden = convolution(first, weight1_, stride_, 1, pass);
    const at::Tensor second = at::leaky_relu(norm2_->forward(hidden, pass), kResidualSlope);
    const at::Tensor& from = activates_first_ ? first : x;
    const at::Tensor kept = shortcut_.defined() ? convolution(from, shortcut_, stride_, 0, pass) : from;
    return kept + convolution(second, weight2_, 1, 1, pass);
  }

  LayerDescription describe(const std::vector<int64_t>& input) const override {
    const int64_t out = weight1_.size(0), size = (input.at(1) - 1) / stride_ + 1;
    const int64_t weights = weight1_.numel() + weight2_.numel() + (shortcut_.defined() ? shortcut_.numel() : 0);
    return {
        .name = {},
        .text = fmt::format("residual block: 2x (batch norm, leaky ReLU {}, 3x3 convolution to {}), stride {}{}",
                            kResidualSlope, out, stride_, shortcut_.defined() ? ", 1x1 convolution of the input" : ""),
        .output = {out, size, size},
        .parameters = parameter_count(*this),
        .flop = 2.0 * static_cast<double>(size * size * weights)};
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    const auto convolve = [&](const GraphValue& input, const char* name, const at::Tensor& weight, int64_t stride) {
      const int64_t padding = weight.size(2) / 2;
      return graph.convolution(input, graph.weight(graph.local(name), weight), /*bias=*/"", weight.sizes().vec(),
                               stride, {padding, padding, padding, padding});
    };
    const GraphValue first = graph.leaky_relu(norm1_->add_to(graph, x, "norm1"), kResidualSlope);
    const GraphValue hidden = norm2_->add_to(graph, convolve(first, "weight1", weight1_, stride_), "norm2");
    const GraphValue& from = activates_first_ ? first : x;
    const GraphValue kept = shortcut_.defined() ? convolve(from, "shortcut", shortcut_, stride_) : from;
    return graph.add(kept, convolve(graph.leaky_relu(hidden, kResidualSlope), "weight2", weight2_, 1));
  }

 private:
  int64_t stride_;
  bool activates_first_;
  BatchNorm norm1_, norm2_;
  at::Tensor weight1_, weight2_, shortcut_;
};

}  // namespace

WideResNet::WideResNet(const NetworkOptions& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization) {
  WeightSource source(WeightInit::kXavier, seed, kWideResNet);
  const auto scaled = [&](int64_t channels) { return scaled_channels(channels, options.width); };
  add("conv", std::make_shared<ConvolutionLayer>(Convolution2dOptions{shape.channels, scaled(16), 3}, source));
  int64_t group = 0;
  for (const int64_t channels : {32, 64, 128}) {
    ++group;
    for (int64_t block = 1; block <= kBlocks; ++block) {
      const int64_t stride = group > 1 && block == 1 ? 2 : 1;
      add(fmt::format("group{}_block{}", group, block),
          std::make_shared<ResidualBlock>(output().front(), scaled(channels), stride,
                                          /*activates_first=*/group == 1 && block == 1, source));
    }
  }
  add("norm", std::make_shared<BatchNormActivation>(output().front(), kResidualSlope, kResidualDecay, kLastEpsilon));
  add("pool", std::make_shared<GlobalMeanPooling>());
  add("dense",
      std::make_shared<DenseLogits>(output().front(), shape.classes + (options.explicit_fake_class ? 1 : 0), source));
}

}  // namespace frgan
