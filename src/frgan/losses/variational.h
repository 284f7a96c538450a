// Terms of variational bounds with diagonal Gaussian distributions (Kingma & Welling 2014; Kingma, Rezende, Mohamed,
// Welling 2014). All are natural logarithms, for each row.
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// A diagonal Gaussian for each row: N x D each.
struct Gaussian {
  at::Tensor mean, log_variance;
};

// From N x 2D: the first half of each row is the mean. The second half a is the log variance 10 tanh(a / 10). Unlike
// that of a clamp, its gradient is not 0 just outside of [-10, 10], so that a variance which a bad step made huge can
// shrink.
Gaussian gaussian_of(const at::Tensor& outputs);

// mean + standard deviation x noise; `noise` is standard normal, N x D.
at::Tensor sample_of(const Gaussian& gaussian, const at::Tensor& noise);

// log N(x; mean, variance), summed over D: N.
at::Tensor log_density(const at::Tensor& x, const Gaussian& gaussian);

// The Kullback-Leibler divergence KL(N(mean, variance) || N(0, I)), summed over D: N.
at::Tensor kl_to_standard_normal(const Gaussian& gaussian);

// The bound of log p(x) for images without a label: sum over the classes y of q(y) (bound(x, y) - log q(y)): N.
// `bounds` are the bounds of log p(x, y), N x K, and `logits` define q(y), N x K.
at::Tensor bound_over_classes(const at::Tensor& bounds, const at::Tensor& logits);

}  // namespace frgan
