// The 3x3 convolution with stride 1 by Winograd's F(2x2, 3x3), which needs 16 multiplications instead of 36 per 2x2
// tile. On a CPU, such convolutions take most of a training step.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

// Whether the Winograd kernels of this CPU support the convolution. They require a 3x3 kernel, stride 1, padding 0 to
// 2, and channel counts that are multiples of the vector length. The type of x is float, or bfloat16 on CPUs with
// AVX512-BF16 but without AMX, on which LibTorch's convolution is faster.
bool has_winograd(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding);

// leaky_relu(conv2d(x, weight, stride 1) + bias), differentiable once with respect to all three. Without a bias, it is
// the convolution only, without leaky ReLU.
//   x: N x in x H x W, channels-last, float or bfloat16
//   weight: out x in x 3 x 3, float
//   bias: out, float
//   slope: negative slope of leaky ReLU, in (0, 1]; 1 without a bias
//   result: N x out x H' x W', of the type of x
// Throws c10::Error unless has_winograd() accepts the convolution. Sums are computed in float. All results except the
// gradient of the bias are bit-identical for any number of threads.
at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, int64_t padding,
                                const at::Tensor& bias = {}, double slope = 1);

}  // namespace frgan
