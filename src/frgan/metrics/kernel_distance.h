// Kernel distance of two sets of images by their features (Binkowski et al. 2018: "KID").
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// N x F and M x F features of any floating type -> the unbiased estimate of the squared maximum mean discrepancy, in
// float64, under the cubic kernel k(x, y) = (x . y / F + 1)^3:
//   sum_{i != j} k(x_i, x_j) / N(N - 1) + sum_{i != j} k(y_i, y_j) / M(M - 1) - 2 sum_{i, j} k(x_i, y_j) / N M
// Over all images, where others average over subsets of 1,000; its expectation does not depend on N, and it may be
// below 0. Throws an Error where a set has fewer than two images.
double kernel_distance(const at::Tensor& first, const at::Tensor& second);

// The same by its two ways, which a test compares. By moments: sums over pairs of (x . y)^p are inner products of the
// moments of order p, N F^3 / 2 multiply-adds for the third; so nothing grows with N M. By pairs: N M F, and blocks.
double kernel_distance_by_moments(const at::Tensor& first, const at::Tensor& second);
double kernel_distance_by_pairs(const at::Tensor& first, const at::Tensor& second);

}  // namespace frgan
