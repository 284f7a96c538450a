#include "frgan/losses/variational.h"

#include <cmath>
#include <numbers>

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>

namespace frgan {
namespace {

constexpr double kMostLogVariance = 10;

}  // namespace

Gaussian gaussian_of(const at::Tensor& outputs) {
  const int64_t size = outputs.size(1) / 2;
  return {outputs.narrow(1, 0, size), kMostLogVariance * (outputs.narrow(1, size, size) / kMostLogVariance).tanh()};
}

at::Tensor sample_of(const Gaussian& gaussian, const at::Tensor& noise) {
  return gaussian.mean + (0.5 * gaussian.log_variance).exp() * noise;
}

at::Tensor log_density(const at::Tensor& x, const Gaussian& gaussian) {
  const double log_2_pi = std::log(2 * std::numbers::pi);
  const at::Tensor square = (x - gaussian.mean).square() * (-gaussian.log_variance).exp();
  return -0.5 * (square + gaussian.log_variance + log_2_pi).sum(1);
}

at::Tensor kl_to_standard_normal(const Gaussian& gaussian) {
  const at::Tensor variance = gaussian.log_variance.exp();
  return 0.5 * (gaussian.mean.square() + variance - 1 - gaussian.log_variance).sum(1);
}

at::Tensor bound_over_classes(const at::Tensor& bounds, const at::Tensor& logits) {
  const at::Tensor log_q = at::log_softmax(logits, 1);
  return (log_q.exp() * (bounds - log_q)).sum(1);
}

}  // namespace frgan
