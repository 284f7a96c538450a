// Adam optimizer (Kingma & Ba 2015) on the flat parameter buffer of one player.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/train/optimizer.h"

namespace frgan {

class Adam : public Optimizer {
 public:
  Adam(const FlatParameters& parameters, const OptimizerOptions& options);

  std::vector<std::string> scalar_names() const override { return {"step_size", "variance_scale"}; }  // AdamStep
  std::vector<double> scalar_values(double learning_rate, double t) const override;
  void step(const std::vector<at::Tensor>& scalars) override;
  void step_by_operators(const std::vector<at::Tensor>& scalars) override;
  std::vector<std::pair<std::string, at::Tensor>> state() const override {
    return {{"mean", mean}, {"square", square}};
  }

  at::Tensor mean, square;  // moments: 1-D, in the order of the parameters

 private:
  FlatParameters parameters_;
  OptimizerOptions options_;
};

}  // namespace frgan
