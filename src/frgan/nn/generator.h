// The generator of FR-GAN (Table 1).
#pragma once

#include <cstdint>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/options.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

// Order of ReLU and batch norm after the dense layer and the first two transposed convolutions (A34).
enum class GeneratorOrder { kBatchNormThenRelu, kReluThenBatchNorm };

struct GeneratorOptions {
  int64_t noise_size = 100;
  int64_t gen_width = 512;
  GeneratorOrder gen_order = GeneratorOrder::kBatchNormThenRelu;
};
// Declares each field as an option, with its meaning, its range and the reading of the paper that it selects
// (docs/options.md).
void describe(OptionSet& options, GeneratorOptions& generator);

// Source of the mean and variance in batch normalization.
enum class BatchStatistics {
  kBatch,          // statistics of this batch; running statistics are not updated
  kBatchAndTrack,  // statistics of this batch; running statistics are updated
  kRunning,        // running statistics: the same noise vector always gives the same image (A32)
};

// Batch normalization over all dimensions except the second, with gain and bias, epsilon 1e-5 and momentum 0.1.
struct BatchNormImpl : torch::nn::Module {
  explicit BatchNormImpl(int64_t units);
  at::Tensor forward(const at::Tensor& x, BatchStatistics statistics);

  at::Tensor weight, bias, running_mean, running_var;
};
TORCH_MODULE(BatchNorm);

// Maps noise to images:
// - dense layer, batch norm, ReLU, reshape to gen_width x S/8 x S/8;
// - two 5x5 transposed convolutions with stride 2, each halving the channels, with batch norm and ReLU;
// - a third to the channels of the image, with weight norm and tanh.
// With GeneratorOrder::kReluThenBatchNorm, each ReLU comes before its batch norm. A layer with batch norm has no bias:
// directly before batch norm, the bias would cancel. Both orders have the same parameters.
//
//   Generator generator(GeneratorOptions{}, ImageShape{}, /*width=*/1.0, WeightInit::kXavier, seed);
//   at::Tensor images = generator->forward(noise, BatchStatistics::kRunning, {});  // N x C x S x S, in [-1, 1]
struct GeneratorImpl : torch::nn::Module {
  GeneratorImpl(const GeneratorOptions& options, const ImageShape& shape, double width, WeightInit init, uint64_t seed);

  // noise: N x noise_size.
  at::Tensor forward(const at::Tensor& noise, BatchStatistics statistics, const ForwardPass& pass);

  // FLOP of a forward pass for one image: 2 x multiply-adds of the dense layer and the transposed convolutions. A
  // transposed convolution counts 25 taps, although nn/phase_convolution.h computes it differently.
  double forward_flop() const;
  // The layers in forward order.
  std::vector<LayerDescription> layers() const;

  at::Tensor dense_weight, deconv1_weight, deconv2_weight;  // dense: out x in; deconv: in x out x 5 x 5

 private:
  GeneratorOrder order_;
  int64_t first_size_, first_channels_;
  BatchNorm norm0_{nullptr}, norm1_{nullptr}, norm2_{nullptr};
  WeightNormDeconv2d deconv3_{nullptr};
};
TORCH_MODULE(Generator);

}  // namespace frgan
