// Feature matching (Salimans et al. 2016), the other reading of the generator's loss (A8).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// mean_j |mean_b h_j(real) - mean_b h_j(generated)|; both N x F, of any two N.
at::Tensor feature_matching_loss(const at::Tensor& real, const at::Tensor& generated);

}  // namespace frgan
