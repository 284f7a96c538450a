// Feature recalibration: the squeeze-and-excitation block (Hu et al. 2018; FR-GAN eq. 10 to 12).
#pragma once

#include <functional>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/nn/weight_norm.h"

namespace frgan {

// s = sigmoid(W2 relu(W1 mean_hw(U))), U~ = s U. Two dense layers C -> C/r -> C, without bias as eq. 11 writes them
// (A4).
//   x: N x C x H x W -> the same shape and type
struct SqueezeExcitationImpl : torch::nn::Module {
  SqueezeExcitationImpl(int64_t channels, int64_t reduction, bool with_bias, WeightSource& source);
  // The gate s: N x C, 0 to 1.
  at::Tensor gate(const at::Tensor& x);
  at::Tensor forward(const at::Tensor& x);

  // Shown each gate that is used, where somebody wants to see them.
  std::function<void(const at::Tensor& gate)> gate_observer;
  at::Tensor squeeze_weight, squeeze_bias, excite_weight, excite_bias;  // biases undefined without `with_bias`
};
TORCH_MODULE(SqueezeExcitation);

}  // namespace frgan
