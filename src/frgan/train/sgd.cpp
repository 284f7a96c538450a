#include "frgan/train/sgd.h"

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/types.h>

#include "frgan/train/optimizer_kernels.h"

namespace frgan {
namespace {

template <class T>
void sgd_on_cpu(const FlatParameters& parameters, const at::Tensor& velocity, const SgdStep& step) {
  T* value = parameters.values().data_ptr<T>();
  const T* gradient = parameters.gradients().data_ptr<T>();
  T* v = velocity.data_ptr<T>();
  at::parallel_for(0, velocity.numel(), 65536, [&](int64_t begin, int64_t end) {
    sgd_update(value + begin, gradient + begin, v + begin, end - begin, step);
  });
}

}  // namespace

Sgd::Sgd(const FlatParameters& parameters, const OptimizerOptions& options)
    : velocity(at::zeros_like(parameters.values())), parameters_(parameters), options_(options) {}

void Sgd::step(const std::vector<at::Tensor>& scalars) {
  RECORD_FUNCTION("frgan::sgd", c10::ArrayRef<const c10::IValue>{});
  if (!velocity.is_cpu()) return step_by_operators(scalars);
  const SgdStep step{scalar_on_cpu(scalars.at(0)), options_.momentum, options_.nesterov};
  if (velocity.scalar_type() == at::kDouble) {
    sgd_on_cpu<double>(parameters_, velocity, step);
  } else {
    sgd_on_cpu<float>(parameters_, velocity, step);
  }
}

void Sgd::step_by_operators(const std::vector<at::Tensor>& scalars) {
  const torch::NoGradGuard no_grad;
  const at::Tensor& gradient = parameters_.gradients();
  velocity.mul_(options_.momentum).add_(gradient);
  const at::Tensor direction = options_.nesterov ? gradient + velocity * options_.momentum : velocity;
  parameters_.values().sub_(direction * scalars.at(0));
}

}  // namespace frgan
