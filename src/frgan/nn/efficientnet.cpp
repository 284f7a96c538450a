#include "frgan/nn/efficientnet.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "frgan/nn/image_layers.h"
#include "frgan/nn/layers.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kEfficientNet = 13;  // random stream of the weights

// Blocks with equal output channels. The first one has the stride.
struct BlockGroup {
  int64_t blocks, kernel, stride, expansion, channels;
};
constexpr std::array<BlockGroup, 7> kGroups{{
    {1, 3, 1, 1, 16},
    {2, 3, 2, 6, 24},
    {2, 5, 2, 6, 40},
    {3, 3, 2, 6, 80},
    {3, 5, 1, 6, 112},
    {4, 5, 2, 6, 192},
    {1, 3, 1, 6, 320},
}};

// A chain of convolutions with batch norm, and ReLU6 after all but the last one. If the shape does not change, the
// input is added.
class MobileBlock : public torch::nn::Module, public Layer {
 public:
  // A convolution and its name, in forward order.
  struct Part {
    std::string name;
    Convolution2dOptions options;
  };
  MobileBlock(const std::vector<Part>& parts, double epsilon, WeightSource& source) {
    int64_t stride = 1;
    for (const auto& [name, options] : parts) {
      names_.push_back(name);
      convolutions_.push_back(register_module(name, Convolution2d(options, source)));
      norms_.push_back(
          register_module(norm_name(norms_.size()), BatchNorm(options.out, kImageStatisticsDecay, epsilon)));
      stride *= options.stride;
    }
    adds_input_ = stride == 1 && parts.front().options.in == parts.back().options.out;
  }

  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    at::Tensor y = x;
    for (size_t i = 0; i < convolutions_.size(); ++i) {
      const bool last = i + 1 == convolutions_.size();
      y = rectified(norms_[i]->forward(convolutions_[i]->forward(y, pass), pass),
                    last ? Rectifier::kNone : Rectifier::kRelu6);
    }
    return adds_input_ ? x + y : y;
  }

  LayerDescription describe(const std::vector<int64_t>& input) const override {
    std::vector<BlockPart> parts;
    std::string text;
    for (const Convolution2d& one : convolutions_) {
      parts.push_back({one.get()});
      const bool depthwise = one->weight.size(1) == 1 && one->weight.size(2) > 1;
      text += fmt::format("{0}{1}{2}x{2} to {3}", text.empty() ? "" : ", ", depthwise ? "depthwise " : "",
                          one->weight.size(2), one->weight.size(0));
    }
    return describe_block(*this, fmt::format("{}convolutions {}", adds_input_ ? "residual block: " : "block: ", text),
                          input, parts);
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    GraphValue y = x;
    for (size_t i = 0; i < convolutions_.size(); ++i) {
      y = norms_[i]->add_to(graph, convolutions_[i]->add_to(graph, y, names_[i]), norm_name(i));
      if (i + 1 < convolutions_.size()) y = rectified(graph, y, Rectifier::kRelu6);
    }
    return adds_input_ ? graph.add(x, y) : y;
  }

 private:
  static std::string norm_name(size_t index) { return fmt::format("bn{}", index + 1); }

  std::vector<std::string> names_;  // of the convolutions
  std::vector<Convolution2d> convolutions_;
  std::vector<BatchNorm> norms_;
  bool adds_input_;
};

}  // namespace

EfficientNetLite::EfficientNetLite(const NetworkOptions& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization) {
  WeightSource source(WeightInit::kXavier, seed, kEfficientNet);
  const auto scaled = [&](int64_t channels) { return scaled_channels(channels, options.width); };
  const Padding padding = options.padding;
  const auto pointwise = [](int64_t in, int64_t out) { return Convolution2dOptions{.in = in, .out = out}; };
  const auto add_norm = [&](const std::string& name) {
    add(name, std::make_shared<BatchNormRectifier>(output().front(), options.norm_epsilon, Rectifier::kRelu6));
  };
  const auto add_convolution = [&](const std::string& name, const Convolution2dOptions& convolution) {
    add(name, std::make_shared<ConvolutionLayer>(convolution, source));
  };

  add_convolution("conv_stem", {.in = shape.channels, .out = scaled(32), .kernel = 3, .stride = 2, .padding = padding});
  add_norm("bn1");
  for (size_t group = 0; group < kGroups.size(); ++group) {
    const BlockGroup& its = kGroups.at(group);
    for (int64_t block = 0; block < its.blocks; ++block) {
      const int64_t in = output().front(), out = scaled(its.channels), hidden = in * its.expansion;
      const Convolution2dOptions depthwise{.in = hidden,
                                           .out = hidden,
                                           .kernel = its.kernel,
                                           .stride = block == 0 ? its.stride : 1,
                                           .groups = hidden,
                                           .padding = padding};
      std::vector<MobileBlock::Part> parts{{"conv_dw", depthwise}};
      if (its.expansion == 1) {
        parts.push_back({"conv_pw", pointwise(hidden, out)});
      } else {
        parts.insert(parts.begin(), {"conv_pw", pointwise(in, hidden)});
        parts.push_back({"conv_pwl", pointwise(hidden, out)});
      }
      add(fmt::format("blocks.{}.{}", group, block),
          std::make_shared<MobileBlock>(parts, options.norm_epsilon, source));
    }
  }
  add_convolution("conv_head", pointwise(output().front(), scaled(1280)));
  add_norm("bn2");
  add("pool", std::make_shared<GlobalMeanPooling>());
  add("classifier",
      std::make_shared<DenseLogits>(output().front(), shape.classes + (options.explicit_fake_class ? 1 : 0), source));
}

}  // namespace frgan
