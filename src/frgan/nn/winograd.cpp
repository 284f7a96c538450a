#include "frgan/nn/winograd.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include "frgan/nn/activation.h"
#include "frgan/nn/winograd_kernels.h"

namespace frgan {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Tiles that a thread transforms, multiplies and transforms back at a time. Their data stays in the cache.
constexpr int64_t kTilesPerBlock = 48;
// Bytes of a panel of tiles in the weight gradient. It stays in the L1 cache while it is multiplied with all output
// channels.
constexpr int64_t kGradientPanel = int64_t{24} * 1024;

// Respects LibTorch's environment variable ATEN_CPU_CAPABILITY (default or avx2), which limits the instruction set.
bool instructions_allowed(std::string_view instructions) {
  const char* const limit = std::getenv("ATEN_CPU_CAPABILITY");
  if (limit == nullptr) return true;
  return limit != std::string_view("default") && (limit != std::string_view("avx2") || instructions == "avx2");
}

const WinogradKernels* kernels_for(at::ScalarType type) {
  if (type == at::kFloat) return winograd_kernels_fp32();
  return type == at::kBFloat16 ? winograd_kernels_bf16() : nullptr;
}

// Uninitialized memory, aligned to 64 bytes, for the duration of a call.
struct Scratch {
  explicit Scratch(int64_t bytes) : memory(at::empty({bytes + 64}, at::kByte)) {}
  std::byte* data() const {
    auto* const bytes = static_cast<std::byte*>(memory.data_ptr());
    return bytes + (64 - reinterpret_cast<uintptr_t>(bytes) % 64) % 64;
  }
  at::Tensor memory;
};

int64_t panels_of(const WinogradKernels& kernels, int64_t columns) {
  return (columns + kernels.panel - 1) / kernels.panel;
}

int64_t tiles_of(const TileGrid& grid, int64_t images) {
  return images * grid.down * grid.across;
}

// The distance between the data of the 16 positions, in elements, with padding. The positions are accessed together;
// without the padding, distances that are multiples of 4096 bytes would map to the same cache sets.
int64_t padded_distance(int64_t elements) {
  constexpr int64_t kPadding = int64_t{3} * 64;
  return elements + kPadding;
}

// Layout of 16 matrices with their columns in panels, ordered by panel: [panel][position][step][column in panel][pair].
PanelLayout panel_first(const WinogradKernels& kernels, int64_t steps) {
  const int64_t position = padded_distance(steps * kernels.panel * kernels.pair);
  return {.position = position, .panel = kernels.panel, .panel_size = kWinogradPositions * position};
}

// y = conv(x, w), where `panels` holds the transformed weights. x and y are NHWC.
struct Convolution {
  const WinogradKernels& kernels;
  TileGrid from, to;
  int64_t images, pad;

  void run(const void* x, const std::byte* panels, const TileActivation& activation, void* y) const {
    const int64_t tiles = tiles_of(to, images), blocks = (tiles + kTilesPerBlock - 1) / kTilesPerBlock;
    const int64_t inputs = from.channels, steps = inputs / kernels.pair;
    const PanelLayout weights = panel_first(kernels, steps);
    at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      const int64_t row_position = padded_distance(kTilesPerBlock * inputs),
                    position = padded_distance(kTilesPerBlock * kernels.panel);
      const int64_t rows_bytes = kWinogradPositions * row_position * kernels.element;
      const Scratch scratch(rows_bytes + kWinogradPositions * position * static_cast<int64_t>(sizeof(float)));
      std::byte* const rows = scratch.data();
      float* const products = reinterpret_cast<float*>(rows + rows_bytes);
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * kTilesPerBlock, count = std::min(kTilesPerBlock, tiles - first);
        kernels.input_rows(x, from, pad, first, count, rows, row_position);
        for (int64_t channel = 0; channel < to.channels; channel += kernels.panel) {
          const int64_t columns = std::min(kernels.panel, to.channels - channel);
          const std::byte* const panel = panels + channel / kernels.panel * weights.panel_size * kernels.element;
          for (int64_t p = 0; p < kWinogradPositions; ++p) {
            kernels.multiply({.rows = count,
                              .columns = columns,
                              .steps = steps,
                              .a = rows + p * row_position * kernels.element,
                              .a_row = inputs,
                              .a_step = kernels.pair,
                              .b = panel + p * weights.position * kernels.element,
                              .b_step = kernels.panel * kernels.pair,
                              .c = products + p * position,
                              .c_row = kernels.panel,
                              .accumulate = false});
          }
          kernels.output_tiles(products, position, to, first, count, channel, columns, activation, y);
        }
      }
    });
  }
};

// Transforms weights in parallel over the output channels. `transform` is weight_panels or rotated_weight_panels.
template <class Transform>
Scratch transformed(const WinogradKernels& kernels, const at::Tensor& weight, int64_t rows, int64_t columns,
                    const Transform& transform) {
  const PanelLayout layout = panel_first(kernels, rows / kernels.pair);
  Scratch panels(panels_of(kernels, columns) * layout.panel_size * kernels.element);
  const int64_t outputs = weight.size(0), inputs = weight.size(1);
  at::parallel_for(0, outputs / kernels.pair, 8, [&](int64_t begin, int64_t end) {
    transform(weight.data_ptr<float>(), inputs, begin * kernels.pair, end * kernels.pair, panels.data(), layout);
  });
  return panels;
}

TileGrid grid_of(const at::Tensor& x, int64_t down, int64_t across) {
  return {.height = x.size(2), .width = x.size(3), .channels = x.size(1), .down = down, .across = across};
}

// The convolution from `from` to `to`. Its tiles cover the output images `to`.
Convolution convolution_of(const WinogradKernels& kernels, const at::Tensor& from, const at::Tensor& to, int64_t pad) {
  const int64_t down = (to.size(2) + 1) / 2, across = (to.size(3) + 1) / 2;
  return {kernels, grid_of(from, down, across), grid_of(to, down, across), from.size(0), pad};
}

at::Tensor empty_images(const at::Tensor& like, int64_t channels, int64_t height, int64_t width) {
  return at::empty({like.size(0), channels, height, width}, like.options(), at::MemoryFormat::ChannelsLast);
}

// dL/dx from dL/dy: the convolution with the weights rotated by 180 degrees.
at::Tensor input_gradient(const WinogradKernels& kernels, const at::Tensor& grad, const at::Tensor& x,
                          const at::Tensor& weight, int64_t padding) {
  RECORD_FUNCTION("frgan::convolution_input_gradient", std::vector<c10::IValue>({grad, weight, padding}));
  const at::Tensor result = empty_images(x, x.size(1), x.size(2), x.size(3));
  const Scratch panels =
      transformed(kernels, weight, /*rows=*/weight.size(0), /*columns=*/weight.size(1), kernels.rotated_weight_panels);
  convolution_of(kernels, grad, result, 2 - padding)
      .run(grad.data_ptr(), panels.data(), {nullptr, 1}, result.data_ptr());
  return result;
}

// How the work on a weight gradient is divided. For small matrices, it is divided into ranges of tiles, each with its
// own sums. For large matrices, it is divided into groups of positions, each of which repeats the transforms. The
// division depends on the shapes only, not on the number of threads, so the sums are deterministic.
struct GradientParts {
  int64_t ranges, groups;
};
GradientParts parts_of(int64_t tiles, int64_t matrix) {
  constexpr int64_t kLargeMatrix = int64_t{256} * 256, kMinTiles = 256, kMaxRanges = 16;
  if (matrix >= kLargeMatrix) return {.ranges = 1, .groups = kWinogradPositions / 2};
  return {.ranges = std::clamp<int64_t>(tiles / kMinTiles, 1, kMaxRanges), .groups = 1};
}

// dL/dw from dL/dy: for each position, the product of transformed gradients and inputs, summed over the tiles. Each
// part transforms its own tiles, because synchronizing the threads between transforms and products takes too long.
at::Tensor weight_gradient(const WinogradKernels& kernels, const at::Tensor& grad, const at::Tensor& x,
                           int64_t padding) {
  RECORD_FUNCTION("frgan::convolution_weight_gradient", std::vector<c10::IValue>({grad, x, padding}));
  const int64_t outputs = grad.size(1), inputs = x.size(1), panels = panels_of(kernels, inputs);
  const Convolution convolution = convolution_of(kernels, x, grad, padding);
  const int64_t tiles = tiles_of(convolution.to, x.size(0));
  const int64_t tiles_per_panel = kGradientPanel / (kernels.panel * kernels.element);
  const int64_t steps = tiles_per_panel / kernels.pair;
  // dy has one panel with all channels. x has the layout [position][panel][step][column in panel][pair].
  const PanelLayout of_grad{.position = padded_distance(tiles_per_panel * outputs), .panel = outputs, .panel_size = 0};
  const int64_t panel_size = steps * kernels.panel * kernels.pair;
  const PanelLayout of_input{
      .position = padded_distance(panels * panel_size), .panel = kernels.panel, .panel_size = panel_size};
  const int64_t matrix = outputs * inputs;
  const GradientParts parts = parts_of(tiles, matrix);
  const int64_t ranges = parts.ranges, groups = parts.groups;
  const int64_t range = (tiles + ranges - 1) / ranges, group = kWinogradPositions / groups;
  const at::Tensor sums = at::empty({ranges, kWinogradPositions * matrix}, at::kFloat);
  at::parallel_for(0, ranges * groups, 1, [&](int64_t begin, int64_t end) {
    const Scratch grads(kWinogradPositions * of_grad.position * kernels.element);
    const Scratch rows(kWinogradPositions * of_input.position * kernels.element);
    for (int64_t part = begin; part < end; ++part) {
      const int64_t first_tile = part / groups * range, last_tile = std::min(tiles, first_tile + range);
      float* const sum = sums.data_ptr<float>() + part / groups * kWinogradPositions * matrix;
      for (int64_t first = first_tile; first < last_tile; first += tiles_per_panel) {
        const int64_t count = std::min(tiles_per_panel, last_tile - first);
        kernels.gradient_panels(grad.data_ptr(), convolution.to, first, count, grads.data(), of_grad);
        kernels.input_panels(x.data_ptr(), convolution.from, padding, first, count, rows.data(), of_input);
        for (int64_t i = part % groups * group * panels; i < (part % groups + 1) * group * panels; ++i) {
          const int64_t position = i / panels, panel = i % panels, channel = panel * kernels.panel;
          kernels.multiply({.rows = outputs,
                            .columns = std::min(kernels.panel, inputs - channel),
                            .steps = (count + kernels.pair - 1) / kernels.pair,
                            .a = grads.data() + position * of_grad.position * kernels.element,
                            .a_row = kernels.pair,
                            .a_step = outputs * kernels.pair,
                            .b = rows.data() + (position * of_input.position + panel * panel_size) * kernels.element,
                            .b_step = kernels.panel * kernels.pair,
                            .c = sum + position * matrix + channel,
                            .c_row = inputs,
                            .accumulate = first > first_tile});
        }
      }
    }
  });
  const at::Tensor total = ranges > 1 ? sums.sum(0) : sums;
  const at::Tensor result =
      at::empty({outputs, inputs, 3, 3}, at::TensorOptions(at::kFloat), at::MemoryFormat::ChannelsLast);
  at::parallel_for(0, outputs, 8, [&](int64_t begin, int64_t end) {
    kernels.weight_gradient(total.data_ptr<float>(), outputs, inputs, begin, end, result.data_ptr<float>());
  });
  return result;
}

struct WinogradConvolution : torch::autograd::Function<WinogradConvolution> {
  // An empty tensor means no bias and no activation.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, int64_t padding, double slope) {
    RECORD_FUNCTION("frgan::convolution", std::vector<c10::IValue>({x, weight, padding}));
    const WinogradKernels& kernels = *kernels_for(x.scalar_type());
    const at::Tensor images = x.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor kernel = weight.contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor result = empty_images(x, weight.size(0), x.size(2) + 2 * padding - 2, x.size(3) + 2 * padding - 2);
    const Scratch panels =
        transformed(kernels, kernel, /*rows=*/weight.size(1), /*columns=*/weight.size(0), kernels.weight_panels);
    const TileActivation activation{bias.numel() > 0 ? bias.data_ptr<float>() : nullptr, static_cast<float>(slope)};
    convolution_of(kernels, images, result, padding)
        .run(images.data_ptr(), panels.data(), activation, result.data_ptr());
    context->save_for_backward({images, kernel, bias, bias.numel() > 0 ? result : at::Tensor()});
    context->saved_data["padding"] = padding;
    context->saved_data["slope"] = slope;
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "winograd_convolution is not twice differentiable");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &y = saved[3];
    const WinogradKernels& kernels = *kernels_for(x.scalar_type());
    const int64_t padding = context->saved_data["padding"].toInt();
    at::Tensor grad = grads[0].contiguous(at::MemoryFormat::ChannelsLast);
    variable_list result(5);
    if (y.defined()) {
      RECORD_FUNCTION("frgan::activation_backward", std::vector<c10::IValue>());
      result[2] = at::zeros_like(bias);
      grad = bias_leaky_relu_gradient(grad, y, result[2], context->saved_data["slope"].toDouble());
    }
    if (context->needs_input_grad(0)) result[0] = input_gradient(kernels, grad, x, weight, padding);
    if (context->needs_input_grad(1)) result[1] = weight_gradient(kernels, grad, x, padding);
    return result;
  }
};

}  // namespace

bool has_winograd(const at::Tensor& x, const at::Tensor& weight, int64_t stride, int64_t padding) {
  const WinogradKernels* const kernels = x.is_cpu() && weight.is_cpu() ? kernels_for(x.scalar_type()) : nullptr;
  return kernels != nullptr && x.size(0) > 0 && weight.scalar_type() == at::kFloat && weight.size(2) == 3 &&
         weight.size(3) == 3 && stride == 1 && padding <= 2 && x.size(2) + 2 * padding >= 3 &&
         x.size(3) + 2 * padding >= 3 && x.size(1) % kernels->lanes == 0 && weight.size(0) % kernels->lanes == 0 &&
         std::max(x.size(1), weight.size(0)) <= kMaxWinogradChannels;
}

at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, int64_t padding, const at::Tensor& bias,
                                double slope) {
  TORCH_CHECK(has_winograd(x, weight, /*stride=*/1, padding) && x.size(1) == weight.size(1),
              "unsupported Winograd convolution of ", x.sizes(), " with ", weight.sizes(), ", padding ", padding);
  TORCH_CHECK(!bias.defined() || (bias.numel() == weight.size(0) && bias.scalar_type() == at::kFloat), "bias has ",
              bias.numel(), " elements; expected ", weight.size(0), " of type float");
  TORCH_CHECK(slope > 0 && slope <= 1, "slope is ", slope, "; must be in (0, 1]");
  TORCH_CHECK(bias.defined() || slope == 1, "slope is ", slope, "; without a bias it must be 1");
  return WinogradConvolution::apply(x, weight, bias.defined() ? bias : at::empty({0}, at::kFloat), padding, slope);
}

const WinogradKernels* winograd_kernels_bf16() {
  // With AMX, LibTorch's convolution is faster.
  static const bool used = instructions_allowed("avx512") && __builtin_cpu_supports("avx512bf16") &&
                           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                           !__builtin_cpu_supports("amx-bf16");
  return used ? &winograd_avx512_bf16::kKernels : nullptr;
}

const WinogradKernels* winograd_kernels_fp32() {
  static const bool fma = __builtin_cpu_supports("fma");
  static const bool avx512 = fma && instructions_allowed("avx512") && __builtin_cpu_supports("avx512f");
  static const bool avx2 = fma && instructions_allowed("avx2") && __builtin_cpu_supports("avx2");
  if (avx512) return &winograd_avx512::kKernels;
  return avx2 ? &winograd_avx2::kKernels : nullptr;
}

}  // namespace frgan
