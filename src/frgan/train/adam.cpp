#include "frgan/train/adam.h"

#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/types.h>

#include "frgan/train/optimizer_kernels.h"

namespace frgan {
namespace {

template <class T>
void adam_on_cpu(const FlatParameters& parameters, const at::Tensor& mean, const at::Tensor& square,
                 const AdamStep& step) {
  T* value = parameters.values().data_ptr<T>();
  const T* gradient = parameters.gradients().data_ptr<T>();
  T* m = mean.data_ptr<T>();
  T* v = square.data_ptr<T>();
  at::parallel_for(0, mean.numel(), 65536, [&](int64_t begin, int64_t end) {
    adam_update(value + begin, gradient + begin, m + begin, v + begin, end - begin, step);
  });
}

}  // namespace

Adam::Adam(const FlatParameters& parameters, const OptimizerOptions& options)
    : mean(at::zeros_like(parameters.values())),
      square(at::zeros_like(parameters.values())),
      parameters_(parameters),
      options_(options) {}

std::vector<double> Adam::scalar_values(double learning_rate, double t) const {
  return {learning_rate / (1.0 - std::pow(options_.beta1, t)), 1.0 / (1.0 - std::pow(options_.beta2, t))};
}

void Adam::step(const std::vector<at::Tensor>& scalars) {
  RECORD_FUNCTION("frgan::adam", c10::ArrayRef<const c10::IValue>{});
  if (!mean.is_cpu()) return step_by_operators(scalars);
  const AdamStep step{
      scalar_on_cpu(scalars.at(0)), scalar_on_cpu(scalars.at(1)), options_.beta1, options_.beta2, options_.epsilon,
      options_.epsilon_inside_root};
  if (mean.scalar_type() == at::kDouble) {
    adam_on_cpu<double>(parameters_, mean, square, step);
  } else {
    adam_on_cpu<float>(parameters_, mean, square, step);
  }
}

void Adam::step_by_operators(const std::vector<at::Tensor>& scalars) {
  const torch::NoGradGuard no_grad;
  const at::Tensor& gradient = parameters_.gradients();
  mean.mul_(options_.beta1).add_(gradient, 1.0 - options_.beta1);
  square.mul_(options_.beta2).addcmul_(gradient, gradient, 1.0 - options_.beta2);
  const at::Tensor variance = square * scalars.at(1);
  const at::Tensor root =
      options_.epsilon_inside_root ? variance.add_(options_.epsilon).sqrt_() : variance.sqrt_().add_(options_.epsilon);
  parameters_.values().sub_(mean / root * scalars.at(0));
}

}  // namespace frgan
