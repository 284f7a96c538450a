// Feature recalibration: the squeeze-and-excitation block (Hu et al. 2018; FR-GAN eq. 10 to 12).
#pragma once

#include <functional>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/nn/graph_builder.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

// s = sigmoid(W2 relu(W1 mean_hw(U))), U~ = s U. The two dense layers map C channels to `hidden` units, C/r in
// the paper, and back to C. By default they have no bias, as in eq. 11 (A4).
//   x: N x C x H x W; the result has the same shape and type
struct SqueezeExcitationImpl : torch::nn::Module {
  SqueezeExcitationImpl(int64_t channels, int64_t hidden, bool with_bias, WeightSource& source);
  // The gate s: N x C, in (0, 1).
  at::Tensor gate(const at::Tensor& x);
  at::Tensor forward(const at::Tensor& x);
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const;

  // If set, called with the gate of each forward pass.
  std::function<void(const at::Tensor& gate)> gate_observer;
  at::Tensor squeeze_weight, squeeze_bias, excite_weight, excite_bias;  // biases undefined without `with_bias`
};
TORCH_MODULE(SqueezeExcitation);

}  // namespace frgan
