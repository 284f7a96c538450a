// The discriminator of FR-GAN's Table 1, which is also the classifier.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/options.h"
#include "frgan/nn/forward_pass.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/squeeze_excitation.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

// The images and classes a network is built for.
struct ImageShape {
  int64_t image_size = 32;  // a multiple of 8, 16 to 128
  int64_t channels = 3;     // 1 or 3
  int64_t classes = 10;     // 2 to 1000
};

// Options of the network; each help text names the ambiguity of the paper that it decides.
struct DiscriminatorOptions {
  double width = 1.0;
  std::string pooling = "stride";
  std::string se_position = "block2";
  int64_t se_reduction = 16;
  bool se_bias = false;
  double slope = 0.2;
  double input_dropout = 0.2;
  double block_dropout = 0.2;
  std::string init = "xavier";
  bool train_gain = true;
  bool explicit_fake_class = false;
};
// Says what each field means, its range or words, and which reading of the paper it decides (also docs/options.md).
void describe(OptionSet& options, DiscriminatorOptions& discriminator);

// Logits are N x K (N x K+1 with the explicit fake class); features are N x F, the globally pooled last convolution,
// which feature matching compares. Both are in the type of the parameters.
struct Classified {
  at::Tensor logits;
  at::Tensor features;
};

// Table 1 as read in docs/paper.md. Block 1: three 3x3 convolutions to 64 channels, the third of stride 2; block 2 the
// same to 128; squeeze-and-excitation; a 3x3 convolution to 256 without padding; two 1x1 to 128; global mean; dense K.
//
//   Discriminator network(DiscriminatorOptions{}, ImageShape{32, 3, 10}, seed);
//   Classified out = network->forward(images, {.stochastic = true, .dropout_key = key});
struct DiscriminatorImpl : torch::nn::Module {
  DiscriminatorImpl(const DiscriminatorOptions& options, const ImageShape& shape, uint64_t seed);

  // images: N x C x S x S, channels-last, [-1, 1].
  Classified forward(const at::Tensor& images, const ForwardPass& pass);

  const DiscriminatorOptions& options() const { return options_; }
  const ImageShape& shape() const { return shape_; }
  int64_t feature_size() const { return convolutions_.back()->options().out; }  // F
  const std::vector<WeightNormConv2d>& convolutions() const { return convolutions_; }
  // Work of a forward pass for one image: 2 x multiply-adds of convolutions and dense layers,
  // squeeze-and-excitation's included.
  double forward_flop() const;
  // In the order in which an image goes through them.
  std::vector<LayerDescription> layers() const;

 private:
  // One block up to its dropout: activated convolutions, pooling, squeeze-and-excitation if it stands here.
  at::Tensor run_block(at::Tensor x, size_t first, SqueezeExcitation& squeeze, const ForwardPass& pass);
  // Convolution `index`, its bias, leaky ReLU and dropout of probability p.
  at::Tensor run_convolution(const at::Tensor& x, size_t index, double p, const ForwardPass& pass);

  DiscriminatorOptions options_;
  ImageShape shape_;
  std::vector<WeightNormConv2d> convolutions_;  // conv1..conv7, nin1, nin2
  SqueezeExcitation squeeze_block1_{nullptr}, squeeze_block2_{nullptr}, squeeze_conv7_{nullptr};
  WeightNormLinear dense_{nullptr};
};
TORCH_MODULE(Discriminator);

}  // namespace frgan
