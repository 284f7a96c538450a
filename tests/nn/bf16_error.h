// The error that bfloat16 may cause, derived from its roundings.
//
// One rounding. A bfloat16 number has a significand of 8 bits, so the numbers in [1, 2) are 2^-7 apart, and the error
// of a rounding is uniform within 2^-8. Relative to significands m that are uniform in [1, 2), with E[1/m^2] = 1/2, its
// root mean square is rho = 2^-8 / sqrt(3) / sqrt(2) = 1.6e-3.
//
// One layer, a sum of n products with independent terms of mean 0. Roundings of the input, the weight and the result
// each add rho^2 to the relative variance of the result: 3 rho^2. The input of a layer is the rounded activation of the
// layer before. A processor with bfloat16 instructions sums in float, which adds nothing at this scale. LibTorch's
// emulation rounds every partial sum: after k of n terms, the partial sum has the variance k/n of the result, so the
// n roundings add rho^2 sum_k k/n = n/2 rho^2.
//
// Several layers. Without biases, a layer passes on the relative variance of its input. The variances of the layers add
// up, and the relative error is the root of the sum.
#pragma once

#include <cmath>

#include <torch/types.h>

namespace frgan {

inline const double kBf16Rounding = std::ldexp(1.0, -8) / std::sqrt(6.0);  // rho

// Whether LibTorch's bfloat16 convolution rounds partial sums: 256 + 1 is 256 in bfloat16.
inline bool sums_in_bf16() {
  const at::Tensor ones = at::ones({1, 1024, 1, 1}, at::kBFloat16);
  return at::conv2d(ones, ones).item<float>() != 1024;
}

// Relative variance that a layer with sums of `products` adds, in units of rho^2.
inline double bf16_variance(double products) {
  return 3 + (sums_in_bf16() ? products / 2 : 0);
}

// The allowed relative error (of the norm) for a variance. The factor 2 covers the spread of a norm of few numbers, and
// the transforms of Winograd's convolution, whose error is up to 2.3 times that of a direct convolution.
inline double bf16_bound(double variance) {
  return 2 * kBf16Rounding * std::sqrt(variance);
}

inline double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor wanted = expected.detach().to(at::kDouble);
  return ((found.detach().to(at::kDouble) - wanted).norm() / wanted.norm()).item<double>();
}

}  // namespace frgan
