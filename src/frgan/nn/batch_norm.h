// Batch normalization over all dimensions except the second, with gain and bias (Ioffe & Szegedy 2015).
#pragma once

#include <cstdint>
#include <string>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/nn/forward_pass.h"
#include "frgan/nn/graph_builder.h"

namespace frgan {

struct BatchNormImpl : torch::nn::Module {
  // `decay` is that of the running statistics: new = decay old + (1 - decay) batch.
  explicit BatchNormImpl(int64_t units, double decay = 0.9, double epsilon = 1e-5);
  // x: N x units, or N x units x H x W
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
  // With running statistics: a scale NAME.weight and a shift NAME.bias, which the graph folds into a convolution before
  // them. `name` is a path within the layer.
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const;

  // Makes the layer compute weight x + bias with this bias, and this weight of one value per unit, or 1 if undefined.
  void set_folded(const at::Tensor& new_weight, const at::Tensor& new_bias);

  at::Tensor weight, bias, running_mean, running_var;

 private:
  double decay_, epsilon_;
};
TORCH_MODULE(BatchNorm);

// Moves running statistics towards those of a batch: running += (batch - running) (1 - decay), with the decay of
// ForwardPass::updates.
void track(const at::Tensor& running, const at::Tensor& batch, double decay, const ForwardPass& pass);

}  // namespace frgan
