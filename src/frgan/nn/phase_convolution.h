// The transposed convolution of the generator, computed as an ordinary convolution.
#pragma once

#include <ATen/core/Tensor.h>

#include "frgan/nn/forward_pass.h"

namespace frgan {

// Equals conv_transpose2d(x, weight, kernel 5, stride 2, padding 2, output_padding 1) up to rounding. Output pixel
// (2i+p, 2j+q) depends on the 3x3 neighborhood of input pixel (i, j); at row offset d, its tap is k = 2 + p - 2d. One
// 3x3 convolution to the four phases (p, q), followed by a pixel shuffle, therefore computes all outputs. On a CPU,
// this is about three times faster. Not twice differentiable on a CPU.
//   x: N x in x H x W
//   weight: in x out x 5 x 5
//   result: N x out x 2H x 2W with channels-last strides
at::Tensor phase_convolution(const at::Tensor& x, const at::Tensor& weight, const ForwardPass& pass);

}  // namespace frgan
