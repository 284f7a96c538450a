#include "frgan/nn/convolution.h"

#include <limits>

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

// Every `stride`-th pixel.
at::Tensor every(const at::Tensor& x, int64_t stride) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  return x.slice(2, 0, kEnd, stride).slice(3, 0, kEnd, stride).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding,
                       const ForwardPass& pass) {
  // With LibTorch 2.11, oneDNN corrupts memory in 1x1 convolutions with a stride, on CPUs with AVX2 and few channels.
  if (stride > 1 && padding == 0 && weight.size(2) == 1 && weight.size(3) == 1) {
    return convolution(every(x, stride), weight, /*stride=*/1, padding, pass);
  }
  const at::Tensor input = cast_for(pass, x);
  if (has_winograd(input, weight, stride, padding)) return winograd_convolution(input, weight, padding);
  return at::conv2d(input, channels_last_kernel(cast_for(pass, weight)), {}, stride, padding);
}

}  // namespace frgan
