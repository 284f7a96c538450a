// The discriminator of FR-GAN (Table 1). It is also the classifier.
#pragma once

#include <cstdint>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/image_shape.h"
#include "frgan/core/options.h"
#include "frgan/nn/forward_pass.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/squeeze_excitation.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

// Downsampling at the end of each block (A2).
enum class Pooling {
  kStride,  // stride 2 in the third convolution
  kMax,     // 2x2 max pooling after the third convolution
};

// Positions of squeeze-and-excitation (A3).
enum class SePosition { kNone, kBlock1, kBlock2, kAfterConv256, kAll };

// Options of the discriminator. The help texts in `describe` name the reading of the paper that each option selects.
struct DiscriminatorOptions {
  double width = 1.0;
  Pooling pooling = Pooling::kStride;
  SePosition se_position = SePosition::kBlock2;
  int64_t se_reduction = 16;
  int64_t se_min_hidden = 1;
  bool se_bias = false;
  double slope = 0.2;
  double input_dropout = 0.2;
  double block_dropout = 0.2;
  WeightInit init = WeightInit::kXavier;
  bool train_gain = true;
  bool explicit_fake_class = false;
};
// Declares each field as an option, with its meaning, its range and the reading of the paper that it selects
// (docs/options.md).
void describe(OptionSet& options, DiscriminatorOptions& discriminator);

// Number of hidden units of a squeeze-and-excitation block on `channels` channels: max(se_min_hidden, C / r).
int64_t squeeze_units(const DiscriminatorOptions& options, int64_t channels);

// Output of the discriminator, in the type of the parameters.
struct Classified {
  at::Tensor logits;    // N x K, or N x K+1 with the explicit fake class
  at::Tensor features;  // N x F: the globally pooled last convolution, which feature matching compares
};

// Table 1 with the readings of docs/paper.md. By default, the layers are:
// - block 1: three 3x3 convolutions to 64 channels, the third with stride 2;
// - block 2: the same with 128 channels, followed by squeeze-and-excitation;
// - a 3x3 convolution to 256 channels without padding, and two 1x1 convolutions to 128 channels;
// - the global mean, and a dense layer to K logits.
//
//   Discriminator network(DiscriminatorOptions{}, ImageShape{32, 3, 10}, seed);
//   Classified out = network->forward(images, {.stochastic = true, .dropout_key = key});
struct DiscriminatorImpl : torch::nn::Module {
  DiscriminatorImpl(const DiscriminatorOptions& options, const ImageShape& shape, uint64_t seed);

  // images: N x C x S x S, channels-last, in [-1, 1].
  Classified forward(const at::Tensor& images, const ForwardPass& pass);

  const DiscriminatorOptions& options() const { return options_; }
  const ImageShape& shape() const { return shape_; }
  int64_t feature_size() const { return convolutions_.back()->options().out; }  // F
  const std::vector<WeightNormConv2d>& convolutions() const { return convolutions_; }
  // FLOP of a forward pass for one image: 2 x multiply-adds of convolutions and dense layers, including those of
  // squeeze-and-excitation.
  double forward_flop() const;
  // The layers in forward order.
  std::vector<LayerDescription> layers() const;

 private:
  // One block including its dropout: three convolutions from index `first`, pooling, and squeeze-and-excitation if
  // present.
  at::Tensor run_block(at::Tensor x, size_t first, SqueezeExcitation& squeeze, const ForwardPass& pass);
  // Convolution `index` with its bias, leaky ReLU and dropout of probability p.
  at::Tensor run_convolution(const at::Tensor& x, size_t index, double p, const ForwardPass& pass);

  DiscriminatorOptions options_;
  ImageShape shape_;
  std::vector<WeightNormConv2d> convolutions_;  // conv1..conv7, nin1, nin2
  SqueezeExcitation squeeze_block1_{nullptr}, squeeze_block2_{nullptr}, squeeze_conv7_{nullptr};
  WeightNormLinear dense_{nullptr};
};
TORCH_MODULE(Discriminator);

}  // namespace frgan
