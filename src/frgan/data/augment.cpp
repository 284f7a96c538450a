#include "frgan/data/augment.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"

namespace frgan {
namespace {

constexpr int64_t kMostTranslation = 15;  // pixels; reflection needs less than the smallest image size, 16
constexpr double kMostNoise = 2;          // standard deviation, for pixels in [-1, 1]

// The number that the text consists of; no value if there is anything else in it.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// Source of each output pixel: pixel (r, c) of image i comes from row y[i, r] and column x[i, c].
struct Sources {
  at::Tensor y;  // n x H, int64, on the CPU
  at::Tensor x;  // n x W, int64, on the CPU
};

// Reflection about the outermost pixels: -1 maps to 1, and `size` to size - 2.
int64_t reflected(int64_t position, int64_t size) {
  if (position < 0) return -position;
  return position < size ? position : 2 * (size - 1) - position;
}

Sources draw_sources(int64_t count, int64_t height, int64_t width, const Augmentation& augmentation, uint64_t key) {
  TORCH_CHECK(augmentation.translate < std::min(height, width), "translation by ", augmentation.translate,
              " pixels is too large for images of ", height, "x", width);
  const Sources sources{at::empty({count, height}, at::kLong), at::empty({count, width}, at::kLong)};
  int64_t* y = sources.y.data_ptr<int64_t>();
  int64_t* x = sources.x.data_ptr<int64_t>();
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
  return sources;
}

bool moves_pixels(const Augmentation& augmentation) {
  return augmentation.translate > 0 || augmentation.flip;
}

at::Tensor channels_first(const at::Tensor& images) {
  return images.permute({0, 3, 1, 2});
}

template <class T>
void normalise(const uint8_t* from, int64_t count, T* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]) / T{127.5} - T{1};
}

template <class T>
void copy_pixels(const uint8_t* line, const int64_t* columns, int64_t width, int64_t channels, T* to) {
  for (int64_t c = 0; c < width; ++c) {
    for (int64_t k = 0; k < channels; ++k) *to++ = line[columns[c] * channels + k];
  }
}

// Gathers, shifts and normalizes image by image, so that each value is read once and written once.
template <class T>
void gather(const at::Tensor& images, const at::Tensor& rows, const Sources* sources, const at::Tensor& out) {
  const int64_t count = images.size(0), height = images.size(1), line = images.size(2) * images.size(3);
  const int64_t width = images.size(2), channels = images.size(3);
  const uint8_t* const set = images.data_ptr<uint8_t>();
  const int64_t* const row = rows.data_ptr<int64_t>();
  T* const result = out.data_ptr<T>();
  at::parallel_for(0, rows.numel(), 4, [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> shifted(static_cast<size_t>(line));
    for (int64_t i = begin; i < end; ++i) {
      TORCH_CHECK_INDEX(row[i] >= 0 && row[i] < count, "image ", row[i], " of ", count);
      const uint8_t* const image = set + row[i] * height * line;
      T* const to = result + i * height * line;
      if (sources == nullptr) {
        normalise(image, height * line, to);
        continue;
      }
      const int64_t* const y = sources->y.data_ptr<int64_t>() + i * height;
      const int64_t* const x = sources->x.data_ptr<int64_t>() + i * width;
      for (int64_t r = 0; r < height; ++r) {
        copy_pixels(image + y[r] * line, x, width, channels, shifted.data());
        normalise(shifted.data(), line, to + r * line);
      }
    }
  });
}

// Adds noise to N x H x W x C images.
void add_noise(const at::Tensor& images, double deviation, uint64_t key) {
  if (deviation == 0) return;
  // A separate key: the shifts already use the numbers under `key`.
  const uint64_t noise_key = random_key(key, Stream::kAugmentation, 1);
  images.add_(random_normal(images.sizes(), noise_key, images.options()), deviation);
}

}  // namespace

void describe(OptionSet& options, AugmentationOptions& augmentation) {
  options.group("Data");
  options.add("augmentation", augmentation.augmentation,
              "Random augmentation of training images: translate:PIXELS, noise:DEVIATION (for pixels in [-1, 1]), "
              "flip; or none (A14, A26: the paper's random change f; A21: with or without augmentation).");
}

Augmentation parse_augmentation(const std::vector<std::string>& words, std::string_view source) {
  static const std::vector<std::string> names = {"translate", "noise", "flip", "none"};
  Augmentation result;
  std::vector<std::string> seen;
  for (const std::string& word : words) {
    const size_t colon = word.find(':');
    const std::string name = word.substr(0, colon);
    const std::string argument = colon == std::string::npos ? "" : word.substr(colon + 1);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string near = nearest_name(name, names);
      throw usage_error(
          fmt::format("{}: unknown augmentation '{}'; {}allowed: translate:PIXELS, noise:DEVIATION, flip, none", source,
                      word, near.empty() ? "" : fmt::format("did you mean '{}'? ", near)));
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      throw usage_error(fmt::format("{}: {} is given twice", source, name));
    }
    seen.push_back(name);
    if (name == "translate") {
      const std::optional<int64_t> pixels = number<int64_t>(argument);
      if (!pixels || *pixels < 1 || *pixels > kMostTranslation) {
        throw usage_error(fmt::format("{}: invalid augmentation '{}'; PIXELS must be 1 to {}, as in translate:2",
                                      source, word, kMostTranslation));
      }
      result.translate = *pixels;
    } else if (name == "noise") {
      const std::optional<double> deviation = number<double>(argument);
      if (!deviation || !(*deviation > 0 && *deviation <= kMostNoise)) {
        throw usage_error(
            fmt::format("{}: invalid augmentation '{}'; DEVIATION must be above 0, at most {}, as in noise:0.15",
                        source, word, kMostNoise));
      }
      result.noise = *deviation;
    } else if (colon != std::string::npos) {
      throw usage_error(fmt::format("{}: invalid augmentation '{}'; use '{}' without a number", source, word, name));
    }
    result.flip = result.flip || name == "flip";
  }
  if (seen.size() > 1 && std::find(seen.begin(), seen.end(), "none") != seen.end()) {
    throw usage_error(
        fmt::format("{}: 'none' cannot be combined with others: got '{}'", source, fmt::join(words, ",")));
  }
  return result;
}

at::Tensor normalised(const at::Tensor& images, at::ScalarType dtype) {
  return channels_first(images.to(dtype).div_(127.5).sub_(1));
}

at::Tensor to_pixels(const at::Tensor& images) {
  const at::Tensor numbers = images.detach().to(at::kCPU, at::kFloat);
  if (!at::isfinite(numbers).all().item<bool>()) {
    throw Error("an image has NaN or infinite values; the generator's weights may be corrupt");
  }
  return (numbers * 127.5 + 127.5).round().clamp(0, 255).to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

at::Tensor augmented(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation, uint64_t key,
                     at::ScalarType dtype) {
  if (!images.is_cpu()) return augmented_by_operators(images, rows, augmentation, key, dtype);

  const int64_t count = rows.numel(), height = images.size(1), width = images.size(2);
  const at::Tensor out = at::empty({count, height, width, images.size(3)}, dtype);
  const bool moves = moves_pixels(augmentation);
  const Sources sources = moves ? draw_sources(count, height, width, augmentation, key) : Sources{};
  const Sources* const used_sources = moves ? &sources : nullptr;
  if (dtype == at::kDouble) {
    gather<double>(images, rows, used_sources, out);
  } else {
    gather<float>(images, rows, used_sources, out);
  }
  add_noise(out, augmentation.noise, key);
  return channels_first(out);
}

at::Tensor augmented_by_operators(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation,
                                  uint64_t key, at::ScalarType dtype) {
  const int64_t count = rows.numel(), height = images.size(1), width = images.size(2), channels = images.size(3);
  at::Tensor bytes;
  if (moves_pixels(augmentation)) {
    const Sources sources = draw_sources(count, height, width, augmentation, key);
    const at::Tensor y = sources.y.to(images.device(), /*non_blocking=*/true);
    const at::Tensor x = sources.x.to(images.device(), /*non_blocking=*/true);
    // Index of a pixel in the set: (row H + y) W + x.
    const at::Tensor lines = rows.view({count, 1}) * height + y;
    const at::Tensor pixels = lines.view({count, height, 1}) * width + x.view({count, 1, width});
    bytes = images.view({-1, channels}).index_select(0, pixels.view(-1)).view({count, height, width, channels});
  } else {
    bytes = images.index_select(0, rows);
  }
  const at::Tensor out = bytes.to(dtype).div_(127.5).sub_(1);
  add_noise(out, augmentation.noise, key);
  return channels_first(out);
}

}  // namespace frgan
