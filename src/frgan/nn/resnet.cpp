#include "frgan/nn/resnet.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "frgan/nn/image_layers.h"
#include "frgan/nn/layers.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kResNet = 12;  // random stream of the weights
constexpr double kResNetEpsilon = 1e-5;

BatchNorm image_norm(int64_t units) {
  return BatchNorm(units, kImageStatisticsDecay, kResNetEpsilon);
}

// relu(x + f(x)), with f: convolutions with batch norm, and ReLU between them. Where the shape changes, a 1x1
// convolution with batch norm maps x.
class RectifiedBlock : public torch::nn::Module, public Layer {
 public:
  RectifiedBlock(const std::vector<Convolution2dOptions>& options, WeightSource& source) {
    int64_t stride = 1;
    for (const Convolution2dOptions& one : options) {
      const std::string number = std::to_string(convolutions_.size() + 1);
      convolutions_.push_back(register_module("conv" + number, Convolution2d(one, source)));
      norms_.push_back(register_module("bn" + number, image_norm(one.out)));
      stride *= one.stride;
    }
    const int64_t in = options.front().in, out = options.back().out;
    if (in == out && stride == 1) return;
    const auto shortcut = register_module("downsample", std::make_shared<torch::nn::Module>());
    shortcut_ = shortcut->register_module("0", Convolution2d(Convolution2dOptions{in, out, 1, stride}, source));
    shortcut_norm_ = shortcut->register_module("1", image_norm(out));
  }

  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    at::Tensor y = x;
    for (size_t i = 0; i < convolutions_.size(); ++i) {
      y = norms_[i]->forward(convolutions_[i]->forward(i == 0 ? y : at::relu(y), pass), pass);
    }
    return at::relu(y + (shortcut_ ? shortcut_norm_->forward(shortcut_->forward(x, pass), pass) : x));
  }

  LayerDescription describe(const std::vector<int64_t>& input) const override {
    std::vector<BlockPart> parts;
    if (shortcut_) parts.push_back({shortcut_.get(), /*from_input=*/true});
    std::string text;
    for (const Convolution2d& one : convolutions_) {
      parts.push_back({one.get()});
      text += fmt::format("{0}{1}x{1} to {2}", text.empty() ? "" : ", ", one->weight.size(2), one->weight.size(0));
    }
    return describe_block(*this, fmt::format("residual block: convolutions {}", text), input, parts);
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    GraphValue y = x;
    for (size_t i = 0; i < convolutions_.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      y = convolutions_[i]->add_to(graph, i == 0 ? y : graph.relu(y), "conv" + number);
      y = norms_[i]->add_to(graph, y, "bn" + number);
    }
    if (!shortcut_) return graph.relu(graph.add(y, x));
    const GraphValue kept = shortcut_->add_to(graph, x, "downsample.0");
    return graph.relu(graph.add(y, shortcut_norm_->add_to(graph, kept, "downsample.1")));
  }

 private:
  std::vector<Convolution2d> convolutions_;
  std::vector<BatchNorm> norms_;
  Convolution2d shortcut_{nullptr};
  BatchNorm shortcut_norm_{nullptr};
};

std::vector<Convolution2dOptions> block_convolutions(bool bottleneck, int64_t in, int64_t channels, int64_t stride) {
  if (!bottleneck) return {{in, channels, 3, stride}, {channels, channels, 3}};
  return {{in, channels}, {channels, channels, 3, stride}, {channels, 4 * channels}};
}

}  // namespace

ResNet::ResNet(const NetworkOptions& options, const ImageShape& shape, uint64_t seed, bool bottleneck,
               const std::vector<int64_t>& blocks)
    : Network(shape, options.normalization) {
  WeightSource source(WeightInit::kXavier, seed, kResNet);
  const auto scaled = [&](int64_t channels) { return scaled_channels(channels, options.width); };
  add("conv1", std::make_shared<ConvolutionLayer>(Convolution2dOptions{shape.channels, scaled(64), 7, 2}, source));
  add("bn1", std::make_shared<BatchNormRectifier>(scaled(64), kResNetEpsilon, Rectifier::kRelu));
  add("maxpool", std::make_shared<OverlappingMaxPooling>());
  for (size_t group = 0; group < blocks.size(); ++group) {
    for (int64_t block = 0; block < blocks[group]; ++block) {
      const int64_t stride = group > 0 && block == 0 ? 2 : 1;
      add(fmt::format("layer{}.{}", group + 1, block),
          std::make_shared<RectifiedBlock>(
              block_convolutions(bottleneck, output().front(), scaled(int64_t{64} << group), stride), source));
    }
  }
  add("pool", std::make_shared<GlobalMeanPooling>());
  add("fc",
      std::make_shared<DenseLogits>(output().front(), shape.classes + (options.explicit_fake_class ? 1 : 0), source));
}

NetworkPtr ResNet::resnet18(const NetworkOptions& options, const ImageShape& shape, uint64_t seed) {
  return NetworkPtr(new ResNet(options, shape, seed, /*bottleneck=*/false, {2, 2, 2, 2}));
}

NetworkPtr ResNet::resnet50(const NetworkOptions& options, const ImageShape& shape, uint64_t seed) {
  return NetworkPtr(new ResNet(options, shape, seed, /*bottleneck=*/true, {3, 4, 6, 3}));
}

}  // namespace frgan
