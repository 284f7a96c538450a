#include "frgan/nn/convolution.h"

#include <torch/types.h>

#include "frgan/nn/winograd.h"

namespace frgan {
namespace {

// With one input channel, the strides of a kernel are ambiguous: LibTorch would take it for contiguous and return a
// contiguous result. This view has unambiguous channels-last strides.
at::Tensor channels_last_kernel(const at::Tensor& kernel) {
  if (kernel.size(1) != 1) return kernel.contiguous(at::MemoryFormat::ChannelsLast);
  return kernel.reshape({-1}).view({kernel.size(0), kernel.size(2), kernel.size(3), 1}).permute({0, 3, 1, 2});
}

}  // namespace

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding,
                       const ForwardPass& pass) {
  const at::Tensor input = cast_for(pass, x);
  if (has_winograd(input, weight, stride, padding)) return winograd_convolution(input, weight, padding);
  return at::conv2d(input, channels_last_kernel(cast_for(pass, weight)), {}, stride, padding);
}

}  // namespace frgan
