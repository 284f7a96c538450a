#include "frgan/data/augment.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/image_operations.h"
#include "frgan/device/random.h"

namespace frgan {
namespace {

constexpr int64_t kMostTranslation = 15;  // pixels; reflection needs less than the smallest image size, 16
constexpr double kMostNoise = 2;          // standard deviation, for pixels in [-1, 1]
constexpr int64_t kMostOperations = 8;

// The names of the operations that randaugment may choose.
std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const OperationInfo& info : image_operations()) {
    if (info.operation != ImageOperation::kCutout) names.emplace_back(info.name);
  }
  return names;
}

// The operations of FixMatch's RandAugment (Table 12): all but inversion and cutout.
std::vector<int32_t> operations_of_fix_match() {
  std::vector<int32_t> codes;
  for (const OperationInfo& info : image_operations()) {
    if (info.operation == ImageOperation::kInvert || info.operation == ImageOperation::kCutout) continue;
    codes.push_back(static_cast<int32_t>(info.operation));
  }
  return codes;
}

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

// Operations on whole images, for apply_operations: `augmentation.operations` random ones, then cutout.
struct DrawnOperations {
  at::Tensor codes, magnitudes, positions;  // n x k int32, n x k float, n x k x 2 float; on the CPU
};

bool has_operations(const Augmentation& augmentation) {
  return augmentation.operations > 0 || augmentation.cutout > 0;
}

DrawnOperations draw_operations(int64_t count, const Augmentation& augmentation, uint64_t key) {
  TORCH_CHECK(augmentation.operations == 0 || !augmentation.operation_codes.empty(), "no operations to choose from");
  const int64_t random = augmentation.operations, all = random + (augmentation.cutout > 0 ? 1 : 0);
  const DrawnOperations drawn{at::empty({count, all}, at::kInt), at::empty({count, all}, at::kFloat),
                              at::empty({count, all, 2}, at::kFloat)};
  int32_t* code = drawn.codes.data_ptr<int32_t>();
  float* magnitude = drawn.magnitudes.data_ptr<float>();
  float* position = drawn.positions.data_ptr<float>();
  // A separate key: shifts and noise use other ones.
  const uint64_t operation_key = random_key(key, Stream::kAugmentation, 2);
  const auto unit = [&](uint64_t place) {
    return static_cast<double>(random_bits(operation_key, place) >> 11) * 0x1p-53;  // [0, 1)
  };
  for (int64_t i = 0; i < count * all; ++i) {
    const auto place = 4 * static_cast<uint64_t>(i);
    const bool is_cutout = i % all == random;
    const auto choice = random_below(augmentation.operation_codes.size(), operation_key, place);
    *code = is_cutout ? static_cast<int32_t>(ImageOperation::kCutout) : augmentation.operation_codes[choice];
    const OperationInfo& info = image_operations()[static_cast<size_t>(*code++)];
    const double low = is_cutout ? 0 : info.low, high = is_cutout ? augmentation.cutout : info.high;
    *magnitude++ = static_cast<float>(low + (high - low) * unit(place + 1));
    *position++ = static_cast<float>(unit(place + 2));
    *position++ = static_cast<float>(unit(place + 3));
  }
  return drawn;
}

bool moves_pixels(const Augmentation& augmentation) {
  return augmentation.translate > 0 || augmentation.flip;
}

at::Tensor channels_first(const at::Tensor& images) {
  return images.permute({0, 3, 1, 2});
}

// To [-1, 1], or for bytes, a copy.
template <class T>
void normalise(const uint8_t* from, int64_t count, T* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(from[i]) / T{127.5} - T{1};
}
template <>
void normalise(const uint8_t* from, int64_t count, uint8_t* to) {
  std::copy_n(from, count, to);
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
  options.add(
      "strong-augmentation", augmentation.strong,
      fmt::format(
          "Augmentation of the strong views of FixMatch: the words of --augmentation, and randaugment:N for N random "
          "operations, cutout:SHARE for a gray square of up to this share of the image's side, and the names of "
          "the operations to choose from: {}. Without names, it chooses from all but invert.",
          fmt::join(operation_names(), ", ")));
}

Augmentation parse_augmentation(const std::vector<std::string>& words, std::string_view source) {
  std::vector<std::string> names = operation_names();
  names.insert(names.end(), {"translate", "noise", "flip", "none", "randaugment", "cutout"});
  Augmentation result;
  std::vector<std::string> seen;
  for (const std::string& word : words) {
    const size_t colon = word.find(':');
    const std::string name = word.substr(0, colon);
    const std::string argument = colon == std::string::npos ? "" : word.substr(colon + 1);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string near = nearest_name(name, names);
      throw usage_error(
          fmt::format("{}: unknown augmentation '{}'; {}allowed: translate:PIXELS, noise:DEVIATION, flip, none, "
                      "randaugment:N, cutout:SHARE, names of operations",
                      source, word, near.empty() ? "" : fmt::format("did you mean '{}'? ", near)));
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
    } else if (name == "randaugment") {
      const std::optional<int64_t> operations = number<int64_t>(argument);
      if (!operations || *operations < 1 || *operations > kMostOperations) {
        throw usage_error(fmt::format("{}: invalid augmentation '{}'; N must be 1 to {}, as in randaugment:2", source,
                                      word, kMostOperations));
      }
      result.operations = *operations;
    } else if (name == "cutout") {
      const std::optional<double> share = number<double>(argument);
      if (!share || !(*share > 0 && *share <= 1)) {
        throw usage_error(fmt::format(
            "{}: invalid augmentation '{}'; SHARE must be above 0, at most 1, as in cutout:0.5", source, word));
      }
      result.cutout = *share;
    } else if (colon != std::string::npos) {
      throw usage_error(fmt::format("{}: invalid augmentation '{}'; use '{}' without a number", source, word, name));
    }
    result.flip = result.flip || name == "flip";
    for (const OperationInfo& operation : image_operations()) {
      if (operation.name == name && operation.operation != ImageOperation::kCutout) {
        result.operation_codes.push_back(static_cast<int32_t>(operation.operation));
      }
    }
  }
  if (result.operations == 0 && !result.operation_codes.empty()) {
    throw usage_error(fmt::format("{}: '{}' needs randaugment:N, the number of operations", source,
                                  image_operations()[static_cast<size_t>(result.operation_codes.front())].name));
  }
  if (result.operations > 0 && result.operation_codes.empty()) result.operation_codes = operations_of_fix_match();
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
  const std::vector<int64_t> shape{count, height, width, images.size(3)};
  const bool moves = moves_pixels(augmentation);
  const Sources sources = moves ? draw_sources(count, height, width, augmentation, key) : Sources{};
  const Sources* const used_sources = moves ? &sources : nullptr;
  const at::Tensor out = at::empty(shape, dtype);
  if (has_operations(augmentation)) {
    const at::Tensor bytes = at::empty(shape, at::kByte);
    gather<uint8_t>(images, rows, used_sources, bytes);
    const DrawnOperations drawn = draw_operations(count, augmentation, key);
    apply_operations(bytes, drawn.codes, drawn.magnitudes, drawn.positions);
    const at::Tensor all = at::arange(count, at::kLong);
    dtype == at::kDouble ? gather<double>(bytes, all, nullptr, out) : gather<float>(bytes, all, nullptr, out);
  } else {
    dtype == at::kDouble ? gather<double>(images, rows, used_sources, out)
                         : gather<float>(images, rows, used_sources, out);
  }
  add_noise(out, augmentation.noise, key);
  return channels_first(out);
}

at::Tensor augmented_by_operators(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation,
                                  uint64_t key, at::ScalarType dtype) {
  const int64_t count = rows.numel(), height = images.size(1), width = images.size(2), channels = images.size(3);
  const auto on_device = [&](const at::Tensor& host) { return host.to(images.device(), /*non_blocking=*/true); };
  at::Tensor bytes;
  if (moves_pixels(augmentation)) {
    const Sources sources = draw_sources(count, height, width, augmentation, key);
    const at::Tensor y = on_device(sources.y), x = on_device(sources.x);
    // Index of a pixel in the set: (row H + y) W + x.
    const at::Tensor lines = rows.view({count, 1}) * height + y;
    const at::Tensor pixels = lines.view({count, height, 1}) * width + x.view({count, 1, width});
    bytes = images.view({-1, channels}).index_select(0, pixels.view(-1)).view({count, height, width, channels});
  } else {
    bytes = images.index_select(0, rows);
  }
  if (has_operations(augmentation)) {
    const DrawnOperations drawn = draw_operations(count, augmentation, key);
    bytes = apply_operations_by_operators(bytes, on_device(drawn.codes), on_device(drawn.magnitudes),
                                          on_device(drawn.positions));
  }
  const at::Tensor out = bytes.to(dtype).div_(127.5).sub_(1);
  add_noise(out, augmentation.noise, key);
  return channels_first(out);
}

}  // namespace frgan
