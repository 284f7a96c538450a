#include "frgan/nn/convnext.h"

#include <array>
#include <memory>

#include <fmt/format.h>

#include "frgan/nn/image_layers.h"
#include "frgan/nn/layers.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kConvNext = 14;  // random stream of the weights
constexpr std::array<int64_t, 4> kBlocksOfGroup{3, 3, 9, 3};
constexpr double kInitialScale = 1e-6;

// x + gamma f(x), with f: 7x7 depthwise convolution, layer norm, and a feed-forward network over the channels of each
// pixel. gamma has one value per channel.
class ConvNextBlock : public torch::nn::Module, public Layer {
 public:
  ConvNextBlock(int64_t channels, WeightSource& source)
      : convolution_(register_module(
            "conv_dw",
            Convolution2d(
                Convolution2dOptions{.in = channels, .out = channels, .kernel = 7, .groups = channels, .bias = true},
                source))),
        norm_(register_module("norm", LayerNorm(channels))),
        feed_forward_(register_module("mlp", FeedForward(channels, 4 * channels, source))),
        gamma_(register_parameter("gamma", at::full({channels}, kInitialScale))) {}

  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    const at::Tensor pixels = norm_->forward(convolution_->forward(x, pass).permute({0, 2, 3, 1}));
    return x + (gamma_ * feed_forward_->forward(pixels, pass)).permute({0, 3, 1, 2});
  }

  LayerDescription describe(const std::vector<int64_t>& input) const override {
    const int64_t channels = input.front();
    LayerDescription layer = describe_block(
        *this,
        fmt::format("residual block: depthwise 7x7 convolution, layer norm, dense to {}, GELU, dense to {}",
                    4 * channels, channels),
        input, {{convolution_.get()}});
    layer.flop += 2.0 * static_cast<double>(input[1] * input[2] * 8 * channels * channels);
    return layer;
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    const GraphValue pixels = graph.transpose(convolution_->add_to(graph, x, "conv_dw"), {0, 2, 3, 1});
    const GraphValue mixed = feed_forward_->add_to(graph, norm_->add_to(graph, pixels, "norm"), "mlp");
    const GraphValue scaled = graph.multiply(mixed, graph.weight(graph.local("gamma"), gamma_));
    return graph.add(x, graph.transpose(scaled, {0, 3, 1, 2}));
  }

 private:
  Convolution2d convolution_;
  LayerNorm norm_;
  FeedForward feed_forward_;
  at::Tensor gamma_;
};

}  // namespace

ConvNext::ConvNext(const NetworkOptions& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization) {
  WeightSource source(WeightInit::kXavier, seed, kConvNext);
  const auto add_norm = [&](const std::string& name) { add(name, std::make_shared<LayerNormLayer>(output().front())); };
  // A convolution without overlap.
  const auto add_patches = [&](const std::string& name, int64_t channels, int64_t size) {
    add(name, std::make_shared<ConvolutionLayer>(Convolution2dOptions{.in = output().front(),
                                                                      .out = channels,
                                                                      .kernel = size,
                                                                      .stride = size,
                                                                      .bias = true,
                                                                      .padding = Padding::kNone},
                                                 source));
  };
  int64_t channels = scaled_channels(96, options.width);
  add_patches("stem.0", channels, 4);
  add_norm("stem.1");
  for (size_t group = 0; group < kBlocksOfGroup.size(); ++group) {
    if (group > 0) {
      channels *= 2;
      add_norm(fmt::format("stages.{}.downsample.0", group));
      add_patches(fmt::format("stages.{}.downsample.1", group), channels, 2);
    }
    for (int64_t block = 0; block < kBlocksOfGroup.at(group); ++block) {
      add(fmt::format("stages.{}.blocks.{}", group, block), std::make_shared<ConvNextBlock>(channels, source));
    }
  }
  add("pool", std::make_shared<GlobalMeanPooling>());
  add_norm("head.norm");
  add("head.fc",
      std::make_shared<DenseLogits>(channels, shape.classes + (options.explicit_fake_class ? 1 : 0), source));
}

}  // namespace frgan
