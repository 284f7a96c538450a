#include "frgan/nn/phase_convolution.h"

#include <algorithm>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "frgan/nn/convolution.h"

namespace frgan {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rearranges the weight from in x out x 5 x 5 to (p, q, out) x in x 3 x 3. With the kernel padded to 6x6, tap t = d + 1
// of phase p is k = 4 + p - 2t, so (k / 2, k % 2) = (2 - t, p).
at::Tensor phase_weight_by_operators(const at::Tensor& weight) {
  const int64_t in = weight.size(0), out = weight.size(1);
  return at::constant_pad_nd(weight, {0, 1, 0, 1})
      .view({in, out, 3, 2, 3, 2})
      .flip({2, 4})
      .permute({3, 5, 1, 0, 2, 4})
      .reshape({4 * out, in, 3, 3});
}

// Calls copy(element of the 5x5 kernel, element of the phases) for each weight. Both tensors are channels-last, the
// kernel with contiguous outputs and the phases with contiguous inputs. The loop works on squares of kSquare x kSquare
// channels, so that both sides use whole cache lines.
template <class T, class Copy>
void for_taps(T* kernel, T* phases, int64_t in, int64_t out, const Copy& copy) {
  constexpr int64_t kSquare = 16;
  at::parallel_for(0, (out + kSquare - 1) / kSquare, 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin * kSquare; o < std::min(out, end * kSquare); o += kSquare) {
      for (int64_t i = 0; i < in; i += kSquare) {
        const int64_t last_o = std::min(out, o + kSquare), last_i = std::min(in, i + kSquare);
        for (int64_t tap = 0; tap < 25; ++tap) {
          const int64_t y = tap / 5, x = tap % 5;
          T* const phase = phases + (y % 2 * 2 + x % 2) * out * 9 * in + ((2 - y / 2) * 3 + 2 - x / 2) * in;
          for (int64_t to = o; to < last_o; ++to) {
            for (int64_t from = i; from < last_i; ++from) {
              copy(kernel[(from * 25 + tap) * out + to], phase[to * 9 * in + from]);
            }
          }
        }
      }
    }
  });
}

// The same on a CPU, in one copy. The six operators above took 5 % of a training step.
struct PhaseWeight : torch::autograd::Function<PhaseWeight> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& weight) {
    RECORD_FUNCTION("frgan::phase_weight", std::vector<c10::IValue>({weight}));
    const at::Tensor kernel = weight.contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t in = weight.size(0), out = weight.size(1);
    context->saved_data["in"] = in;
    context->saved_data["out"] = out;
    const at::Tensor phases = at::zeros({4 * out, 3, 3, in}, weight.options());
    AT_DISPATCH_FLOATING_TYPES(weight.scalar_type(), "phase_weight", [&] {
      for_taps(kernel.data_ptr<scalar_t>(), phases.data_ptr<scalar_t>(), in, out,
               [](scalar_t& tap, scalar_t& phase) { phase = tap; });
    });
    return phases.permute({0, 3, 1, 2});
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "phase_convolution is not twice differentiable");
    const int64_t in = context->saved_data["in"].toInt(), out = context->saved_data["out"].toInt();
    const at::Tensor phases = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor grad = at::empty({in, 5, 5, out}, phases.options());
    AT_DISPATCH_FLOATING_TYPES(phases.scalar_type(), "phase_weight", [&] {
      for_taps(grad.data_ptr<scalar_t>(), phases.data_ptr<scalar_t>(), in, out,
               [](scalar_t& tap, scalar_t& phase) { tap = phase; });
    });
    return {grad.permute({0, 3, 1, 2})};
  }
};

}  // namespace

at::Tensor phase_convolution(const at::Tensor& x, const at::Tensor& weight, const ForwardPass& pass) {
  const int64_t count = x.size(0), height = x.size(2), width = x.size(3), out = weight.size(1);
  const at::Tensor kernel = weight.is_cpu() ? PhaseWeight::apply(weight) : phase_weight_by_operators(weight);
  const at::Tensor phases = convolution(x, kernel, /*stride=*/1, /*padding=*/1, pass);
  return phases.permute({0, 2, 3, 1})
      .reshape({count, height, width, 2, 2, out})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({count, 2 * height, 2 * width, out})
      .permute({0, 3, 1, 2});
}

}  // namespace frgan
