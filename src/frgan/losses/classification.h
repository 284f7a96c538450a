// Supervised losses over the K real classes.
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// Eq. 5: -mean log p(y | x, y <= K). `logits` is N x K, or N x K+1 with the fake class, which is ignored. `labels` is
// N x int64 in 0..K-1, with K = classes.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t classes);

// The same for a mixed batch (A13): rows with label -1 contribute 0, and the sum is divided by the number of all rows.
at::Tensor masked_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t classes);

}  // namespace frgan
