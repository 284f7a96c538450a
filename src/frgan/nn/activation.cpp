#include "frgan/nn/activation.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_dropout.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "frgan/device/random.h"
#include "frgan/nn/activation_kernels.h"

namespace frgan {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Dropout {
  double p;
  uint64_t key;
};

// Calls body(index of the first element, number of elements, dropout scales) for each tile in begin..end.
template <class Body>
void for_tiles(int64_t begin, int64_t end, int64_t total, const Dropout& dropout, const Body& body) {
  alignas(64) float scale[kActivationTile];
  std::fill(scale, scale + kActivationTile, 1.0F);
  const auto threshold = static_cast<uint32_t>(std::lround(dropout.p * 65536.0));
  const auto kept = static_cast<float>(1.0 / (1.0 - dropout.p));
  for (int64_t tile = begin; tile < end; ++tile) {
    if (dropout.p > 0) {
      draw_dropout_tile(dropout.key, static_cast<uint64_t>(tile), threshold, kept, scale);
    }
    body(tile * kActivationTile, std::min(kActivationTile, total - tile * kActivationTile), scale);
  }
}

int64_t tiles_of(int64_t elements) {
  return (elements + kActivationTile - 1) / kActivationTile;
}

template <class T, class A>
void forward_kernel(T* x, int64_t total, const A* bias, int64_t channels, double slope, const Dropout& dropout) {
  // The bias, repeated, so that a tile can start at any channel.
  std::vector<A> row(kActivationTile + channels, A{0});
  if (bias != nullptr) {
    for (size_t i = 0; i < row.size(); ++i) row[i] = bias[i % channels];
  }
  at::parallel_for(0, tiles_of(total), 16, [&](int64_t begin, int64_t end) {
    for_tiles(begin, end, total, dropout, [&](int64_t first, int64_t count, const float* scale) {
      activation_forward(x + first, row.data() + first % channels, scale, static_cast<A>(slope), count);
    });
  });
}

template <class T, class A>
void backward_kernel(const T* grad, const T* y, T* out, int64_t total, A* bias_grad, int64_t channels, double slope,
                     const Dropout& dropout) {
  const int64_t width = kActivationTile + channels;
  std::vector<A> sums(width * at::get_num_threads(), A{0});
  at::parallel_for(0, tiles_of(total), 16, [&](int64_t begin, int64_t end) {
    A* row = sums.data() + width * at::get_thread_num();
    for_tiles(begin, end, total, dropout, [&](int64_t first, int64_t count, const float* scale) {
      activation_backward(grad + first, y + first, scale, static_cast<A>(slope), out + first, row + first % channels,
                          count);
    });
  });
  if (bias_grad == nullptr) return;
  for (size_t i = 0; i < sums.size(); ++i) bias_grad[(i % width) % channels] += sums[i];
}

int64_t channels_of(const at::Tensor& x) {
  return x.size(1);
}

at::MemoryFormat layout_of(const at::Tensor& x) {
  return x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

uint16_t* bits_of(const at::Tensor& x) {
  return reinterpret_cast<uint16_t*>(x.data_ptr<at::BFloat16>());
}

void forward_on_cpu(const at::Tensor& x, const at::Tensor& bias, double slope, const Dropout& dropout) {
  const int64_t total = x.numel(), channels = channels_of(x);
  if (x.scalar_type() == at::kDouble) {
    forward_kernel(x.data_ptr<double>(), total, bias.numel() > 0 ? bias.data_ptr<double>() : nullptr, channels, slope,
                   dropout);
    return;
  }
  const float* b = bias.numel() > 0 ? bias.data_ptr<float>() : nullptr;
  if (x.scalar_type() == at::kBFloat16) {
    forward_kernel(bits_of(x), total, b, channels, slope, dropout);
  } else {
    forward_kernel(x.data_ptr<float>(), total, b, channels, slope, dropout);
  }
}

void backward_on_cpu(const at::Tensor& grad, const at::Tensor& y, const at::Tensor& out, const at::Tensor& bias_grad,
                     double slope, const Dropout& dropout) {
  const int64_t total = y.numel(), channels = channels_of(y);
  if (y.scalar_type() == at::kDouble) {
    backward_kernel(grad.data_ptr<double>(), y.data_ptr<double>(), out.data_ptr<double>(), total,
                    bias_grad.defined() ? bias_grad.data_ptr<double>() : nullptr, channels, slope, dropout);
    return;
  }
  float* b = bias_grad.defined() ? bias_grad.data_ptr<float>() : nullptr;
  if (y.scalar_type() == at::kBFloat16) {
    backward_kernel(bits_of(grad), bits_of(y), bits_of(out), total, b, channels, slope, dropout);
  } else {
    backward_kernel(grad.data_ptr<float>(), y.data_ptr<float>(), out.data_ptr<float>(), total, b, channels, slope,
                    dropout);
  }
}

// The kernels above as one differentiable operation that overwrites its input. It saves only its output for the
// backward pass, which the next convolution saves anyway.
struct BiasLeakyReluDropout : torch::autograd::Function<BiasLeakyReluDropout> {
  // An empty tensor means no bias.
  static at::Tensor forward(AutogradContext* context, at::Tensor x, const at::Tensor& bias, double slope, double p,
                            int64_t key) {
    RECORD_FUNCTION("frgan::activation", std::vector<c10::IValue>());
    forward_on_cpu(x, bias, slope, {p, static_cast<uint64_t>(key)});
    context->mark_dirty({x});
    context->save_for_backward({x});
    context->saved_data["slope"] = slope;
    context->saved_data["p"] = p;
    context->saved_data["key"] = key;
    context->saved_data["bias"] = bias.numel() > 0;
    return x;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "bias_leaky_relu_dropout_ is not twice differentiable");
    const at::Tensor y = context->get_saved_variables()[0];
    const at::Tensor grad = grads[0].contiguous(layout_of(y));
    const at::Tensor out = at::empty_like(grad);
    const at::ScalarType bias_type = y.scalar_type() == at::kBFloat16 ? at::kFloat : y.scalar_type();
    const at::Tensor bias_grad =
        context->saved_data["bias"].toBool() ? at::zeros({channels_of(y)}, y.options().dtype(bias_type)) : at::Tensor();
    backward_on_cpu(grad, y, out, bias_grad, context->saved_data["slope"].toDouble(),
                    {context->saved_data["p"].toDouble(), static_cast<uint64_t>(context->saved_data["key"].toInt())});
    return {out, bias_grad, {}, {}, {}};
  }
};

}  // namespace

at::Tensor bias_leaky_relu_dropout_by_operators(const at::Tensor& x, const at::Tensor& bias, double slope, double p,
                                                uint64_t key) {
  at::Tensor y =
      bias.defined()
          ? x + bias.view(x.dim() == 4 ? at::IntArrayRef({1, -1, 1, 1}) : at::IntArrayRef({1, -1})).to(x.scalar_type())
          : x;
  if (slope != 1.0) y = at::leaky_relu(y, slope);
  if (p == 0) return y;
  if (y.is_cuda()) return std::get<0>(at::_fused_dropout(y, 1.0 - p, seeded_generator(y.device(), key)));
  const at::Tensor kept = random_uniform(y.sizes(), 0, 1, key, y.options().dtype(at::kFloat)) >= p;
  return y * kept.to(y.scalar_type()) / (1.0 - p);
}

at::Tensor bias_leaky_relu_dropout_(const at::Tensor& x, const at::Tensor& bias, double slope, double p, uint64_t key) {
  if (!x.is_cpu()) return bias_leaky_relu_dropout_by_operators(x, bias, slope, p, key);
  TORCH_CHECK(x.is_contiguous(layout_of(x)), "bias_leaky_relu_dropout_ needs channels-last strides");
  TORCH_CHECK(!bias.defined() || bias.numel() == x.size(1), "bias has ", bias.numel(), " elements; expected ",
              x.size(1), ", one per channel");
  return BiasLeakyReluDropout::apply(x, bias.defined() ? bias : at::empty({0}), slope, p, static_cast<int64_t>(key));
}

at::Tensor bias_leaky_relu_gradient(const at::Tensor& grad, const at::Tensor& y, const at::Tensor& bias_grad,
                                    double slope) {
  const at::Tensor out = at::empty_like(y);
  backward_on_cpu(grad.contiguous(layout_of(y)), y, out, bias_grad, slope, {.p = 0, .key = 0});
  return out;
}

at::Tensor dropout(const at::Tensor& x, double p, uint64_t key) {
  if (p == 0) return x;
  if (!x.is_cpu()) return bias_leaky_relu_dropout_by_operators(x, {}, 1.0, p, key);
  return bias_leaky_relu_dropout_(x.clone(layout_of(x)), {}, 1.0, p, key);
}

}  // namespace frgan
