#include "frgan/losses/information.h"

#include <torch/types.h>

namespace frgan {

at::Tensor cross_entropy_of_views(const at::Tensor& log_p, const at::Tensor& log_q) {
  return -(log_p.exp() * log_q + log_q.exp() * log_p).sum(1).mean() / 2;
}

at::Tensor entropy_of_mean(const at::Tensor& log_p, const at::Tensor& log_q) {
  const at::Tensor mean = (log_p.exp().mean(0) + log_q.exp().mean(0)) / 2;
  return -(mean * mean.clamp_min(1e-12).log()).sum();
}

}  // namespace frgan
