// Adam (Kingma & Ba 2015) on the flat buffers of one player.
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "frgan/methods/method.h"
#include "frgan/nn/flat_parameters.h"

namespace frgan {

class Adam {
 public:
  Adam(const FlatParameters& parameters, const OptimizerOptions& options);

  // The names of the two numbers it takes from StepScalars, and their values at update t = 1, 2, ...
  std::vector<std::string> scalar_names(const std::string& player) const;
  std::vector<double> scalar_values(double learning_rate, double t) const;
  // One update from the gradients; `step_size` and `variance_scale` are 0-dim tensors with the values above.
  void step(const at::Tensor& step_size, const at::Tensor& variance_scale);
  // The same out of LibTorch's operators, for devices that have no kernel of ours.
  void step_by_operators(const at::Tensor& step_size, const at::Tensor& variance_scale);

  at::Tensor mean, square;  // 1-D, as the parameters

 private:
  FlatParameters parameters_;
  OptimizerOptions options_;
};

}  // namespace frgan
