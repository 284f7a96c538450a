// Kernel distance (KID) between the features of two sets of images (Binkowski et al. 2018).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// N x F and M x F features of any floating-point type -> unbiased estimate of the squared maximum mean discrepancy with
// the cubic kernel k(x, y) = (x . y / F + 1)^3, in float64:
//   sum_{i != j} k(x_i, x_j) / N(N - 1) + sum_{i != j} k(y_i, y_j) / M(M - 1) - 2 sum_{i, j} k(x_i, y_j) / N M
// It uses all images; other programs average over subsets of 1,000. Its expectation does not depend on N and M. The
// estimate can be negative. Throws an Error if a set has fewer than two images.
double kernel_distance(const at::Tensor& first, const at::Tensor& second);

// The two algorithms of kernel_distance, which chooses by F; a test compares them. By moments: a sum of (x . y)^p over
// pairs is the inner product of the moments of order p. The third moment takes N F^3 / 2 multiply-adds, and no cost
// grows with N M. By pairs: N M F multiply-adds, computed in blocks.
double kernel_distance_by_moments(const at::Tensor& first, const at::Tensor& second);
double kernel_distance_by_pairs(const at::Tensor& first, const at::Tensor& second);

}  // namespace frgan
