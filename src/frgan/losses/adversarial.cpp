#include "frgan/losses/adversarial.h"

#include <torch/types.h>

namespace frgan {
namespace {

// log(1 + exp x). Above the threshold of 30 it returns x, with an error below 1e-13.
at::Tensor log1p_exp(const at::Tensor& x) {
  return at::softplus(x, /*beta=*/1, /*threshold=*/30);
}

}  // namespace

at::Tensor real_score(const at::Tensor& logits, int64_t classes) {
  const at::Tensor lse = at::logsumexp(logits.narrow(1, 0, classes), 1);
  return logits.size(1) == classes ? lse : lse - logits.select(1, classes);
}

at::Tensor real_loss(const at::Tensor& score) {
  return log1p_exp(-score).mean();
}

at::Tensor fake_loss(const at::Tensor& score) {
  return log1p_exp(score).mean();
}

}  // namespace frgan
