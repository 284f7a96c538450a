#include "frgan/losses/consistency.h"

#include <torch/types.h>

namespace frgan {

at::Tensor consistency_target(const std::string& target, const at::Tensor& logits, const at::Tensor& features,
                              int64_t classes) {
  if (target == "features") return features;
  const at::Tensor real = logits.narrow(1, 0, classes);
  return target == "logits" ? real : at::softmax(real, 1);
}

at::Tensor consistency_loss(const at::Tensor& first, const at::Tensor& second, const std::string& reduction) {
  const at::Tensor squares = (first - second).square();
  return reduction == "sum_classes" ? squares.sum(1).mean() : squares.mean();
}

}  // namespace frgan
