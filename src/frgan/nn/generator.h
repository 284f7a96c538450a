// The generator of FR-GAN (Table 1).
#pragma once

#include <cstdint>
#include <memory>

#include <torch/types.h>

#include "frgan/core/image_shape.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/network_options.h"

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

// Maps noise to images:
// - dense layer, batch norm, ReLU, reshape to gen_width x S/8 x S/8;
// - two 5x5 transposed convolutions with stride 2, each halving the channels, with batch norm and ReLU;
// - a third to the channels of the image, with weight norm and tanh.
// With GeneratorOrder::kReluThenBatchNorm, each ReLU comes before its batch norm. A layer with batch norm has no bias:
// directly before batch norm, the bias would cancel. Both orders have the same parameters.
//
// A transposed convolution counts 25 taps in forward_flop(), although nn/phase_convolution.h computes it differently.
//
//   Generator generator(GeneratorOptions{}, ImageShape{}, /*width=*/1.0, WeightInit::kXavier, seed);
//   at::Tensor images = generator.forward(noise, {});  // N x C x S x S, in [-1, 1]
class Generator : public LayerList {
 public:
  Generator(const GeneratorOptions& options, const ImageShape& shape, double width, WeightInit init, uint64_t seed);

  // noise: N x noise_size. Without batch statistics, the same noise vector always gives the same image (A32).
  at::Tensor forward(const at::Tensor& noise, const ForwardPass& pass) const { return run(noise, pass, 0, size()); }
};
using GeneratorPtr = std::shared_ptr<Generator>;

}  // namespace frgan
