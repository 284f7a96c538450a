// Feature matching (Salimans et al. 2016), an alternative generator loss (A8).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// mean_j |mean_b h_j(real) - mean_b h_j(generated)|. Both inputs are N x F; their N may differ.
at::Tensor feature_matching_loss(const at::Tensor& real, const at::Tensor& generated);

}  // namespace frgan
