#include "frgan/losses/classification.h"

#include <torch/types.h>

namespace frgan {
namespace {

// -log p(y | x, y <= K) for each row.
at::Tensor negative_log_likelihood(const at::Tensor& logits, const at::Tensor& labels, int64_t classes) {
  const at::Tensor real = logits.narrow(1, 0, classes);
  return at::logsumexp(real, 1) - real.gather(1, labels.unsqueeze(1)).squeeze(1);
}

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t classes) {
  return negative_log_likelihood(logits, labels, classes).mean();
}

at::Tensor masked_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t classes) {
  const at::Tensor known = labels.ge(0).to(logits.scalar_type());
  return (negative_log_likelihood(logits, labels.clamp_min(0), classes) * known).mean();
}

}  // namespace frgan
