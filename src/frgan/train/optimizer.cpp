#include "frgan/train/optimizer.h"

#include <ATen/record_function.h>
#include <torch/types.h>

#include "frgan/train/adam.h"
#include "frgan/train/sgd.h"

namespace frgan {

std::unique_ptr<Optimizer> make_optimizer(const FlatParameters& parameters, const OptimizerOptions& options) {
  if (options.kind == OptimizerKind::kSgd) return std::make_unique<Sgd>(parameters, options);
  return std::make_unique<Adam>(parameters, options);
}

double scalar_on_cpu(const at::Tensor& scalar) {
  if (scalar.scalar_type() == at::kDouble) return *scalar.data_ptr<double>();
  return static_cast<double>(*scalar.data_ptr<float>());
}

WeightDecay::WeightDecay(const FlatParameters& parameters, double decay)
    : values_(parameters.values()), decayed_(at::zeros_like(parameters.values())), decay_(decay) {
  for (size_t i = 0; i < parameters.parameters().size(); ++i) {
    const bool is_direction = parameters.name(i).ends_with("direction");
    if (parameters.parameters()[i].dim() >= 2 && !is_direction) parameters.view_like(decayed_, i).fill_(1);
  }
}

void WeightDecay::apply(const at::Tensor& factor) const {
  RECORD_FUNCTION("frgan::weight_decay", c10::ArrayRef<const c10::IValue>{});
  const torch::NoGradGuard no_grad;
  values_.sub_(values_ * decayed_ * factor);
}

}  // namespace frgan
