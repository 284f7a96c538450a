#include "frgan/nn/phase_convolution.h"

#include <torch/types.h>

namespace frgan {
namespace {

// in x out x 5 x 5 -> (p, q, out) x in x 3 x 3. With the kernel padded to 6x6, tap t = d + 1 of phase p is k = 4 + p -
// 2t: the pairs (k / 2, k % 2) = (2 - t, p).
at::Tensor phase_weight(const at::Tensor& weight) {
  const int64_t in = weight.size(0), out = weight.size(1);
  return at::constant_pad_nd(weight, {0, 1, 0, 1})
      .view({in, out, 3, 2, 3, 2})
      .flip({2, 4})
      .permute({3, 5, 1, 0, 2, 4})
      .reshape({4 * out, in, 3, 3});
}

}  // namespace

at::Tensor phase_convolution(const at::Tensor& x, const at::Tensor& weight) {
  const int64_t count = x.size(0), height = x.size(2), width = x.size(3), out = weight.size(1);
  const at::Tensor phases =
      at::conv2d(x, phase_weight(weight).contiguous(at::MemoryFormat::ChannelsLast), {}, /*stride=*/1, /*padding=*/1);
  return phases.permute({0, 2, 3, 1})
      .reshape({count, height, width, 2, 2, out})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({count, 2 * height, 2 * width, out})
      .permute({0, 3, 1, 2});
}

}  // namespace frgan
