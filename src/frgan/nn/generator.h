// The generator of FR-GAN's Table 1.
#pragma once

#include <cstdint>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/options.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

struct GeneratorOptions {
  int64_t noise_size = 100;
  int64_t gen_width = 512;
};
// Says what each field means, its range or words, and which reading of the paper it decides (also docs/options.md).
void describe(OptionSet& options, GeneratorOptions& generator);

// Where batch normalisation takes mean and variance from.
enum class BatchStatistics {
  kBatch,          // this batch's; the running ones stay as they are
  kBatchAndTrack,  // this batch's; the running ones follow
  kRunning,        // the running ones: one noise vector always gives one image (A32)
};

// Batch normalisation over all dimensions but the second, with gain and bias, epsilon 1e-5 and momentum 0.1.
struct BatchNormImpl : torch::nn::Module {
  explicit BatchNormImpl(int64_t units);
  at::Tensor forward(const at::Tensor& x, BatchStatistics statistics);

  at::Tensor weight, bias, running_mean, running_var;
};
TORCH_MODULE(BatchNorm);

// noise -> dense, batch norm, ReLU -> gen_width x S/8 x S/8 -> two 5x5 transposed convolutions of stride 2 (halving the
// channels), batch norm, ReLU -> a third to the image's channels with weight norm, tanh. Layers before batch norm
// have no bias: its gradient would be rounding alone.
//
//   Generator generator(GeneratorOptions{}, ImageShape{}, /*width=*/1.0, "xavier", seed);
//   at::Tensor images = generator->forward(noise, BatchStatistics::kRunning, {});  // N x C x S x S, -1 to 1
struct GeneratorImpl : torch::nn::Module {
  GeneratorImpl(const GeneratorOptions& options, const ImageShape& shape, double width, const std::string& init,
                uint64_t seed);

  // noise: N x noise_size.
  at::Tensor forward(const at::Tensor& noise, BatchStatistics statistics, const ForwardPass& pass);

  // Work of a forward pass for one image: 2 x multiply-adds of the dense layer and of transposed convolutions, these
  // at their own 25 taps whatever form computes them.
  double forward_flop() const;
  // In the order in which noise goes through them.
  std::vector<LayerDescription> layers() const;

  at::Tensor dense_weight, deconv1_weight, deconv2_weight;  // dense: out x in; deconv: in x out x 5 x 5

 private:
  int64_t first_size_, first_channels_;
  BatchNorm norm0_{nullptr}, norm1_{nullptr}, norm2_{nullptr};
  WeightNormDeconv2d deconv3_{nullptr};
};
TORCH_MODULE(Generator);

}  // namespace frgan
