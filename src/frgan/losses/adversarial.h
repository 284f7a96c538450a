// The K+1-class adversarial losses (eq. 6) in the log-sum-exp form: with the fake logit fixed at 0 (A23),
// D(x) = Z / (Z + 1), Z = sum_k exp l_k, so log D = -softplus(-lse) and log(1 - D) = -softplus(lse).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// logit of D(x), N: lse over the K real logits, less the fake logit where it is explicit (logits N x K+1).
at::Tensor real_score(const at::Tensor& logits, int64_t classes);

// -mean log D: what the discriminator pays for unlabeled images (A6), and the generator's non-saturating loss (A8).
at::Tensor real_loss(const at::Tensor& score);

// -mean log(1 - D): what the discriminator pays for generated images.
at::Tensor fake_loss(const at::Tensor& score);

}  // namespace frgan
