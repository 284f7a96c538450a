// Supervised losses over the K real classes.
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// eq. 5: -mean log p(y | x, y <= K). logits: N x K (or N x K+1: the fake class takes no part), labels: N int64 in
// 0..K-1.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t classes);

// The mixed batch of A13: rows with label -1 add nothing, and the sum is divided by the number of all rows.
at::Tensor masked_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t classes);

}  // namespace frgan
