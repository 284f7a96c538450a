// A convolution by the fastest way that the processor, the shape and the precision allow.
#pragma once

#include <ATen/core/Tensor.h>

#include "frgan/nn/forward_pass.h"

namespace frgan {

// conv2d without bias, differentiable in both.
//   x: N x in x H x W, channels-last; weight: out x in x k x k, in the type of the parameters -> N x out x H' x W',
//   channels-last, in the type that the pass computes in
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding,
                       const ForwardPass& pass);

}  // namespace frgan
