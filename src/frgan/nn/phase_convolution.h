// The transposed convolution of the generator, written as an ordinary one.
#pragma once

#include <ATen/core/Tensor.h>

#include "frgan/nn/forward_pass.h"

namespace frgan {

// conv_transpose2d(x, weight, kernel 5, stride 2, padding 2, output_padding 1), exactly: each output pixel (2i+p, 2j+q)
// sees the 3x3 neighbourhood of input pixel (i, j) through the taps k = 2 + p - 2d, so one 3x3 convolution to the four
// phases (p, q) and a pixel shuffle compute it. On a CPU that is about three times faster.
//   x: N x in x H x W, weight: in x out x 5 x 5 -> N x out x 2H x 2W with channels-last strides
at::Tensor phase_convolution(const at::Tensor& x, const at::Tensor& weight, const ForwardPass& pass);

}  // namespace frgan
