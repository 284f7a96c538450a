// Adam optimizer (Kingma & Ba 2015) on the flat parameter buffer of one player.
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

#include "frgan/methods/method.h"
#include "frgan/nn/flat_parameters.h"

namespace frgan {

class Adam {
 public:
  Adam(const FlatParameters& parameters, const OptimizerOptions& options);

  // Names of the two scalars that `step` takes, "PLAYER.step_size" and "PLAYER.variance_scale", and their values at
  // update t = 1, 2, ... (AdamStep).
  std::vector<std::string> scalar_names(const std::string& player) const;
  std::vector<double> scalar_values(double learning_rate, double t) const;
  // Performs one update from the gradients. `step_size` and `variance_scale` are 0-dim tensors with the values above.
  void step(const at::Tensor& step_size, const at::Tensor& variance_scale);
  // The same update from LibTorch operators, for devices other than the CPU.
  void step_by_operators(const at::Tensor& step_size, const at::Tensor& variance_scale);

  at::Tensor mean, square;  // moments: 1-D, in the order of the parameters

 private:
  FlatParameters parameters_;
  OptimizerOptions options_;
};

}  // namespace frgan
