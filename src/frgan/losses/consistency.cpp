#include "frgan/losses/consistency.h"

#include <torch/types.h>

namespace frgan {

at::Tensor consistency_target(ConsistencyTarget target, const at::Tensor& logits, const at::Tensor& features,
                              int64_t classes) {
  if (target == ConsistencyTarget::kFeatures) return features;
  const at::Tensor real = logits.narrow(1, 0, classes);
  return target == ConsistencyTarget::kLogits ? real : at::softmax(real, 1);
}

at::Tensor consistency_loss(const at::Tensor& first, const at::Tensor& second, MseReduction reduction) {
  const at::Tensor squares = (first - second).square();
  return reduction == MseReduction::kSumClasses ? squares.sum(1).mean() : squares.mean();
}

}  // namespace frgan
