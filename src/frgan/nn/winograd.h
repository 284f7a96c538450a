// The 3x3 convolution of stride 1 by Winograd's F(2x2, 3x3): 16 products for 36. On a CPU a training step is little
// else, so this is its largest saving.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

// Whether the CPU's kernels take this convolution: 3x3, stride 1, padding 0 to 2, channels that fill vectors, float, or
// bfloat16 where the processor computes in it without a matrix unit (which makes LibTorch's faster than ours).
bool has_winograd(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding);

// leaky_relu(conv2d(x, weight, stride 1) + bias), differentiable in all three. Without a bias the convolution alone.
//   x: N x in x H x W channels-last, float or bfloat16; weight: float, out x in x 3 x 3; bias: float, out
//   -> like x, N x out x H' x W'
// For what has_winograd() takes, 0 < slope <= 1; once differentiable. Sums are in float and do not depend on the number
// of threads, but for the bias's gradient.
at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, int64_t padding,
                                const at::Tensor& bias = {}, double slope = 1);

}  // namespace frgan
