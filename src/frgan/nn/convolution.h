// Convolution with the fastest implementation for the CPU, shape and precision: nn/winograd.h or LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include "frgan/nn/forward_pass.h"

namespace frgan {

// conv2d without bias, differentiable with respect to x and weight.
//   x: N x in x H x W, channels-last
//   weight: out x in x k x k, in the type of the parameters
//   result: N x out x H' x W', channels-last, in the compute type of the pass
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding,
                       const ForwardPass& pass);

}  // namespace frgan
