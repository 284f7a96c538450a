// The K+1-class adversarial losses (eq. 6) in log-sum-exp form, lse = log sum_k exp l_k. With the fake logit fixed at 0
// (A23), D(x) = Z / (Z + 1) with Z = exp lse, so log D = -softplus(-lse) and log(1 - D) = -softplus(lse).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// The logit of D(x), shape N, from logits N x K or N x K+1 (K = classes). It is the lse of the K real logits, minus the
// explicit fake logit if there is one.
at::Tensor real_score(const at::Tensor& logits, int64_t classes);

// -mean log D, from scores of shape N: the discriminator's loss on real images (A6) and the generator's non-saturating
// loss (A8).
at::Tensor real_loss(const at::Tensor& score);

// -mean log(1 - D), from scores of shape N: the discriminator's loss on generated images.
at::Tensor fake_loss(const at::Tensor& score);

}  // namespace frgan
