// Interface of the optimizers, which update the flat parameter buffer of one player.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/methods/method.h"
#include "frgan/nn/flat_parameters.h"

namespace frgan {

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Names of the scalars that `step` takes, and their values at update t = 1, 2, ...
  virtual std::vector<std::string> scalar_names() const = 0;
  virtual std::vector<double> scalar_values(double learning_rate, double t) const = 0;
  // Performs one update from the gradients. `scalars` are 0-dim tensors with the values above, on the training device.
  virtual void step(const std::vector<at::Tensor>& scalars) = 0;
  // The same update from LibTorch operators, for devices other than the CPU.
  virtual void step_by_operators(const std::vector<at::Tensor>& scalars) = 0;
  // Its state by name, such as {"mean", m}: 1-D tensors in the order of the parameters.
  virtual std::vector<std::pair<std::string, at::Tensor>> state() const = 0;
};

std::unique_ptr<Optimizer> make_optimizer(const FlatParameters& parameters, const OptimizerOptions& options);

// The value of a 0-dim float or double tensor on the CPU, without synchronization.
double scalar_on_cpu(const at::Tensor& scalar);

// Decoupled weight decay (Loshchilov & Hutter 2019): value -= learning_rate decay value, before the update. It applies
// to weights, that is, parameters with two or more dimensions. It does not apply to biases, gains and the directions of
// weight normalization, whose length has no effect.
class WeightDecay {
 public:
  WeightDecay(const FlatParameters& parameters, double decay);
  // The factor learning_rate decay; 0-dim in `apply`.
  double factor(double learning_rate) const { return learning_rate * decay_; }
  void apply(const at::Tensor& factor) const;

 private:
  at::Tensor values_;
  at::Tensor decayed_;  // 1 for weights, else 0
  double decay_;
};

}  // namespace frgan
