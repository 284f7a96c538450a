// The parts of networks for photos (ResNet, EfficientNet, ConvNeXt, vision transformers). Their tensors have the names
// and shapes of timm's (https://github.com/huggingface/pytorch-image-models), so that published weights can be loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frgan/nn/batch_norm.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/network_options.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

struct Convolution2dOptions {
  int64_t in, out, kernel = 1, stride = 1, groups = 1;
  bool bias = false;
  Padding padding = Padding::kSymmetric;
};

// A convolution. Images and results are channels-last.
struct Convolution2dImpl : torch::nn::Module {
  Convolution2dImpl(const Convolution2dOptions& options, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
  // Adds its operators to a graph. Its tensors get the prefix `name` within the layer.
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const;
  // Shape of the output, and FLOP, for one input of this shape: C x H x W.
  std::vector<int64_t> output(const std::vector<int64_t>& input) const;
  double flop(const std::vector<int64_t>& input) const;
  int64_t stride() const { return options_.stride; }

  at::Tensor weight, bias;

 private:
  Convolution2dOptions options_;
};
TORCH_MODULE(Convolution2d);

// A dense layer with bias, over the last dimension.
struct DenseImpl : torch::nn::Module {
  DenseImpl(int64_t in, int64_t out, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const;

  at::Tensor weight, bias;
};
TORCH_MODULE(Dense);

// Normalization over the channels of each pixel or token, with gain and bias, in the type of the parameters.
struct LayerNormImpl : torch::nn::Module {
  explicit LayerNormImpl(int64_t units, double epsilon = 1e-6);
  // Over the last dimension.
  at::Tensor forward(const at::Tensor& x);
  // Over the second dimension of channels-last images.
  at::Tensor over_channels(const at::Tensor& images);
  // Over the last dimension.
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const;

  at::Tensor weight, bias;

 private:
  double epsilon_;
};
TORCH_MODULE(LayerNorm);

// Linear, GELU, linear.
struct FeedForwardImpl : torch::nn::Module {
  FeedForwardImpl(int64_t units, int64_t hidden, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const;

  Dense fc1{nullptr}, fc2{nullptr};
};
TORCH_MODULE(FeedForward);

// A convolution as a layer of a network.
class ConvolutionLayer : public Convolution2dImpl, public Layer {
 public:
  using Convolution2dImpl::Convolution2dImpl;
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// max(x, 0), and min(x, 6) of it for kRelu6.
enum class Rectifier { kNone, kRelu, kRelu6 };
at::Tensor rectified(const at::Tensor& x, Rectifier rectifier);
GraphValue rectified(GraphBuilder& graph, const GraphValue& x, Rectifier rectifier);

// Decay of the running statistics of pretrained batch norms. PyTorch calls 0.1 their momentum.
inline constexpr double kImageStatisticsDecay = 0.9;

// Batch norm and a rectifier.
class BatchNormRectifier : public BatchNormImpl, public Layer {
 public:
  BatchNormRectifier(int64_t units, double epsilon, Rectifier rectifier)
      : BatchNormImpl(units, kImageStatisticsDecay, epsilon), rectifier_(rectifier) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;

 private:
  Rectifier rectifier_;
};

// Layer norm of the pixels of images, or of vectors.
class LayerNormLayer : public LayerNormImpl, public Layer {
 public:
  using LayerNormImpl::LayerNormImpl;
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// 3x3 max pooling with stride 2 and one pixel of padding.
class OverlappingMaxPooling : public Layer {
 public:
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// Description of a block of several convolutions with `parts` inside, in forward order.
struct BlockPart {
  const Convolution2dImpl* convolution;
  bool from_input = false;  // a shortcut: its input is that of the block, and its output is not passed on
};
LayerDescription describe_block(const torch::nn::Module& block, std::string text, const std::vector<int64_t>& input,
                                const std::vector<BlockPart>& parts);

}  // namespace frgan
