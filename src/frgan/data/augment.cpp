#include "frgan/data/augment.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/image_operations.h"
#include "frgan/device/packed_inputs.h"
#include "frgan/device/random.h"

namespace frgan {
namespace {

// Reflection about the outermost pixels: -1 maps to 1, and `size` to size - 2.
int64_t reflected(int64_t position, int64_t size) {
  if (position < 0) return -position;
  return position < size ? position : 2 * (size - 1) - position;
}

bool moves_pixels(const Augmentation& augmentation) {
  return augmentation.translate > 0 || augmentation.flip;
}

void draw_sources(AugmentationPlan& plan, int64_t count, int64_t height, int64_t width,
                  const Augmentation& augmentation, uint64_t key) {
  TORCH_CHECK(augmentation.translate < std::min(height, width), "translation by ", augmentation.translate,
              " pixels is too large for images of ", height, "x", width);
  plan.y = at::empty({count, height}, at::kLong);
  plan.x = at::empty({count, width}, at::kLong);
  int64_t* y = plan.y.data_ptr<int64_t>();
  int64_t* x = plan.x.data_ptr<int64_t>();
  const auto shifts = static_cast<uint64_t>(2 * augmentation.translate + 1);
  for (int64_t i = 0; i < count; ++i) {
    const auto position = static_cast<uint64_t>(3 * i);
    const int64_t down = static_cast<int64_t>(random_below(shifts, key, position)) - augmentation.translate;
    const int64_t right = static_cast<int64_t>(random_below(shifts, key, position + 1)) - augmentation.translate;
    const bool mirror = augmentation.flip && random_below(2, key, position + 2) == 1;
    for (int64_t r = 0; r < height; ++r) *y++ = reflected(r - down, height);
    for (int64_t c = 0; c < width; ++c) {
      const int64_t column = reflected(c - right, width);
      *x++ = mirror ? width - 1 - column : column;
    }
  }
}

bool has_operations(const Augmentation& augmentation) {
  return augmentation.operations > 0 || augmentation.cutout > 0;
}

// `augmentation.operations` random operations, then cutout.
void draw_operations(AugmentationPlan& plan, int64_t count, const Augmentation& augmentation, uint64_t key) {
  TORCH_CHECK(augmentation.operations == 0 || !augmentation.choices.empty(), "no operations to choose from");
  const int64_t random = augmentation.operations, all = random + (augmentation.cutout > 0 ? 1 : 0);
  plan.operations = {at::empty({count, all}, at::kInt), at::empty({count, all}, at::kFloat),
                     at::empty({count, all, 2}, at::kFloat)};
  int32_t* code = plan.operations.codes.data_ptr<int32_t>();
  float* magnitude = plan.operations.magnitudes.data_ptr<float>();
  float* position = plan.operations.positions.data_ptr<float>();
  // A separate key: shifts and noise use other ones.
  const uint64_t operation_key = random_key(key, Stream::kAugmentation, 2);
  const auto unit = [&](uint64_t place) {
    return static_cast<double>(random_bits(operation_key, place) >> 11) * 0x1p-53;  // [0, 1)
  };
  for (int64_t i = 0; i < count * all; ++i) {
    const auto place = 4 * static_cast<uint64_t>(i);
    const bool is_cutout = i % all == random;
    const auto choice = random_below(augmentation.choices.size(), operation_key, place);
    const ChosenOperation chosen =
        is_cutout ? ChosenOperation{ImageOperation::kCutout, 0, augmentation.cutout} : augmentation.choices[choice];
    *code++ = static_cast<int32_t>(chosen.operation);
    *magnitude++ = static_cast<float>(chosen.low + (chosen.high - chosen.low) * unit(place + 1));
    *position++ = static_cast<float>(unit(place + 2));
    *position++ = static_cast<float>(unit(place + 3));
  }
}

at::Tensor channels_first(const at::Tensor& images) {
  return images.permute({0, 3, 1, 2});
}

// Copies an image, with the source row of each of its rows, and the source column of each of its columns.
void move_pixels(const uint8_t* image, const int64_t* rows, const int64_t* columns, at::IntArrayRef shape,
                 uint8_t* to) {
  const int64_t height = shape[0], width = shape[1], channels = shape[2];
  for (int64_t r = 0; r < height; ++r) {
    const uint8_t* const line = image + rows[r] * width * channels;
    for (int64_t c = 0; c < width; ++c) {
      for (int64_t k = 0; k < channels; ++k) *to++ = line[columns[c] * channels + k];
    }
  }
}

// To [-1, 1].
template <class T>
void normalise(const uint8_t* from, int64_t count, T* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]) / T{127.5} - T{1};
}

// Gathers, moves, changes and normalizes image by image, so that each value is read once and written once.
template <class T>
void gather(const at::Tensor& images, const at::Tensor& rows, const AugmentationPlan& plan, const at::Tensor& out) {
  const int64_t count = images.size(0), height = images.size(1), width = images.size(2), channels = images.size(3);
  const int64_t size = height * width * channels;
  const uint8_t* const set = images.data_ptr<uint8_t>();
  const int64_t* const row = rows.data_ptr<int64_t>();
  T* const result = out.data_ptr<T>();
  const bool moves = plan.y.defined();
  TORCH_CHECK(!moves || (plan.y.numel() == rows.numel() * height && plan.x.numel() == rows.numel() * width),
              "augmentation of other images: got ", plan.y.sizes(), " rows for ", out.sizes());
  std::optional<OperationLoop> operations;
  if (plan.operations.codes.defined()) operations.emplace(plan.operations, out.sizes());
  at::parallel_for(0, rows.numel(), 4, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> changed(moves || operations ? size : 0), buffer(operations ? size : 0);
    for (int64_t i = begin; i < end; ++i) {
      TORCH_CHECK_INDEX(row[i] >= 0 && row[i] < count, "image ", row[i], " of ", count);
      const uint8_t* image = set + row[i] * size;
      if (moves) {
        move_pixels(image, plan.y.data_ptr<int64_t>() + i * height, plan.x.data_ptr<int64_t>() + i * width,
                    images.sizes().slice(1), changed.data());
      } else if (operations) {
        std::copy_n(image, size, changed.data());
      }
      if (operations) operations->apply(i, changed.data(), buffer.data());
      normalise(changed.empty() ? image : changed.data(), size, result + i * size);
    }
  });
}

// Adds noise to N x H x W x C images.
void add_noise(const at::Tensor& images, const AugmentationPlan& plan) {
  if (plan.noise == 0) return;
  images.add_(random_normal(images.sizes(), plan.noise_key, images.options()), plan.noise);
}

}  // namespace

at::Tensor normalised(const at::Tensor& images, at::ScalarType dtype) {
  const at::Tensor numbers = images.scalar_type() == dtype ? images / 127.5 : images.to(dtype).div_(127.5);
  return channels_first(numbers.sub_(1));
}

at::Tensor to_pixels(const at::Tensor& images) {
  const at::Tensor numbers = images.detach().to(at::kCPU, at::kFloat);
  if (!at::isfinite(numbers).all().item<bool>()) {
    throw Error("an image has NaN or infinite values; the generator's weights may be corrupt");
  }
  return (numbers * 127.5 + 127.5).round().clamp(0, 255).to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

AugmentationPlan plan_augmentation(int64_t count, int64_t height, int64_t width, const Augmentation& augmentation,
                                   uint64_t key) {
  AugmentationPlan plan;
  if (moves_pixels(augmentation)) draw_sources(plan, count, height, width, augmentation, key);
  if (has_operations(augmentation)) draw_operations(plan, count, augmentation, key);
  plan.noise = augmentation.noise;
  // A separate key: the shifts already use the numbers under `key`.
  plan.noise_key = random_key(key, Stream::kAugmentation, 1);
  return plan;
}

at::Tensor augmented(const at::Tensor& images, const at::Tensor& rows, const AugmentationPlan& plan,
                     at::ScalarType dtype) {
  if (!images.is_cpu()) return augmented_by_operators(images, rows, plan, dtype);

  const at::Tensor out = at::empty({rows.numel(), images.size(1), images.size(2), images.size(3)}, dtype);
  dtype == at::kDouble ? gather<double>(images, rows, plan, out) : gather<float>(images, rows, plan, out);
  add_noise(out, plan);
  return channels_first(out);
}

at::Tensor augmented(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation, uint64_t key,
                     at::ScalarType dtype) {
  AugmentationPlan plan = plan_augmentation(rows.numel(), images.size(1), images.size(2), augmentation, key);
  PackedInputs(images.device()).load(plan.tensors());
  return augmented(images, rows, plan, dtype);
}

at::Tensor augmented_by_operators(const at::Tensor& images, const at::Tensor& rows, const AugmentationPlan& plan,
                                  at::ScalarType dtype) {
  const int64_t count = rows.numel(), height = images.size(1), width = images.size(2), channels = images.size(3);
  at::Tensor bytes;
  if (plan.y.defined()) {
    // Index of a pixel in the set: (row H + y) W + x.
    const at::Tensor lines = rows.view({count, 1}) * height + plan.y;
    const at::Tensor pixels = lines.view({count, height, 1}) * width + plan.x.view({count, 1, width});
    bytes = images.view({-1, channels}).index_select(0, pixels.view(-1)).view({count, height, width, channels});
  } else {
    bytes = images.index_select(0, rows);
  }
  if (plan.operations.codes.defined()) bytes = apply_operations_by_operators(bytes, plan.operations);
  const at::Tensor out = bytes.to(dtype).div_(127.5).sub_(1);
  add_noise(out, plan);
  return channels_first(out);
}

}  // namespace frgan
