// Stochastic gradient descent with momentum (Sutskever et al. 2013) on the flat parameter buffer of one player.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/train/optimizer.h"

namespace frgan {

class Sgd : public Optimizer {
 public:
  Sgd(const FlatParameters& parameters, const OptimizerOptions& options);

  std::vector<std::string> scalar_names() const override { return {"learning_rate"}; }
  std::vector<double> scalar_values(double learning_rate, double /*t*/) const override { return {learning_rate}; }
  void step(const std::vector<at::Tensor>& scalars) override;
  void step_by_operators(const std::vector<at::Tensor>& scalars) override;
  std::vector<std::pair<std::string, at::Tensor>> state() const override { return {{"velocity", velocity}}; }

  at::Tensor velocity;  // 1-D, in the order of the parameters

 private:
  FlatParameters parameters_;
  OptimizerOptions options_;
};

}  // namespace frgan
