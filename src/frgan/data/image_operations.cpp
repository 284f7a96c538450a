#include "frgan/data/image_operations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/div.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace frgan {
namespace {

using enum ImageOperation;

constexpr uint8_t kGray = 127;
constexpr int64_t kLargestSide = 1024;  // pixels; with magnitudes of at most 8, source positions fit into 16.16 bits
constexpr float kLargestMagnitude = 8, kLargestAngle = 360;
constexpr int kValues = 256;  // of a uint8

constexpr std::string_view kFactor = "factor of Pillow's ImageEnhance: 0 removes it, 1 changes nothing";
constexpr std::array<OperationInfo, 16> kOperations = {{
    {kIdentity, "identity", 0, 0, 0, 0, ""},
    {kAutoContrast, "autocontrast", 0, 0, 0, 0, ""},
    {kBrightness, "brightness", 0.05, 0.95, 0, 2, kFactor},
    {kColor, "color", 0.05, 0.95, 0, 2, kFactor},
    {kContrast, "contrast", 0.05, 0.95, 0, 2, kFactor},
    {kEqualize, "equalize", 0, 0, 0, 0, ""},
    {kPosterize, "posterize", 4, 8, 1, 8, "bits that are kept, rounded down"},
    {kRotate, "rotate", -30, 30, -180, 180, "degrees counterclockwise"},
    {kSharpness, "sharpness", 0.05, 0.95, 0, 2, kFactor},
    {kShearX, "shear_x", -0.3, 0.3, -1, 1, "pixels to the left per row"},
    {kShearY, "shear_y", -0.3, 0.3, -1, 1, "pixels upward per column"},
    {kSolarize, "solarize", 0, 1, 0, 1, "values from 256 times this are inverted"},
    {kTranslateX, "translate_x", -0.3, 0.3, -1, 1, "fraction of the width, to the left"},
    {kTranslateY, "translate_y", -0.3, 0.3, -1, 1, "fraction of the height, upward"},
    {kInvert, "invert", 0, 0, 0, 0, ""},
    {kCutout, "cutout", 0, 0.5, 0, 1, "side of the square, as a fraction of the shorter side of the image"},
}};

void check_arguments(at::IntArrayRef images, const ImageOperations& operations) {
  const auto& [codes, magnitudes, positions] = operations;
  TORCH_CHECK(images.size() == 4 && (images[3] == 1 || images[3] == 3),
              "images must be N x H x W x C with 1 or 3 channels; got ", images);
  TORCH_CHECK(std::min(images[1], images[2]) >= 1 && std::max(images[1], images[2]) <= kLargestSide,
              "sides of images must be 1 to ", kLargestSide, " pixels; got ", images);
  TORCH_CHECK(codes.scalar_type() == at::kInt && codes.dim() == 2 && codes.size(0) == images[0],
              "codes must be int32, ", images[0], " x n; got ", codes.scalar_type(), ' ', codes.sizes());
  TORCH_CHECK(magnitudes.scalar_type() == at::kFloat && magnitudes.sizes() == codes.sizes(),
              "magnitudes must be float, ", codes.sizes(), "; got ", magnitudes.scalar_type(), ' ', magnitudes.sizes());
  const std::array<int64_t, 3> shape = {codes.size(0), codes.size(1), 2};
  TORCH_CHECK(positions.scalar_type() == at::kFloat && positions.sizes() == at::IntArrayRef(shape),
              "positions must be float, ", at::IntArrayRef(shape), "; got ", positions.scalar_type(), ' ',
              positions.sizes());
}

// ---- The loops for the CPU. Each function changes one image in place. ----

struct Pixels {
  uint8_t* values;  // height x width x channels
  int64_t height, width, channels;

  int64_t count() const { return height * width; }
  int64_t line() const { return width * channels; }
  int64_t size() const { return height * line(); }
};

using ValueTable = std::array<uint8_t, kValues>;

template <class F>
ValueTable table_of(const F& function) {
  ValueTable table;
  for (int value = 0; value < kValues; ++value) table[value] = static_cast<uint8_t>(function(value));
  return table;
}

void look_up(const ValueTable& table, uint8_t* values, int64_t count, int64_t stride) {
  for (int64_t i = 0; i < count * stride; i += stride) values[i] = table[values[i]];
}

void look_up(const ValueTable& table, const Pixels& image) {
  look_up(table, image.values, image.size(), 1);
}

// Pillow's Image.blend: truncates the fraction. Beyond 0 <= factor <= 1 it extrapolates.
inline uint8_t blended_value(int from, int to, float factor) {
  const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
  return static_cast<uint8_t>(std::clamp(value, 0.0F, 255.0F));
}

// Pillow's conversion from RGB to L (ITU-R 601-2) in 16.16 fixed point.
inline int luma(const uint8_t* rgb) {
  return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 0x8000) >> 16;
}

void stretch_contrast(const Pixels& image) {
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    uint8_t* const values = image.values + channel;
    uint8_t low = 255, high = 0;
    for (int64_t i = 0; i < image.size() - channel; i += image.channels) {
      low = std::min(low, values[i]);
      high = std::max(high, values[i]);
    }
    if (high <= low) continue;
    // Like Pillow: with exact integers, one value in 250 would differ by one.
    const double scale = 255.0 / (high - low), offset = -low * scale;
    look_up(table_of([&](int value) { return std::clamp(value * scale + offset, 0.0, 255.0); }), values, image.count(),
            image.channels);
  }
}

void equalize(const Pixels& image) {
  for (int64_t channel = 0; channel < image.channels; ++channel) {
    uint8_t* const values = image.values + channel;
    std::array<int, kValues> histogram{};
    for (int64_t i = 0; i < image.size() - channel; i += image.channels) ++histogram[values[i]];
    const int last = *std::find_if(histogram.rbegin(), histogram.rend(), [](int count) { return count > 0; });
    const int step = (static_cast<int>(image.count()) - last) / 255;
    if (step == 0) continue;
    int sum = step / 2;  // of the counts below the value
    look_up(table_of([&](int value) {
              const int result = sum / step;
              sum += histogram[value];
              return std::min(result, 255);
            }),
            values, image.count(), image.channels);
  }
}

void change_brightness(const Pixels& image, float factor) {
  look_up(table_of([&](int value) { return blended_value(0, value, factor); }), image);
}

void change_contrast(const Pixels& image, float factor) {
  int64_t sum = 0;
  for (int64_t i = 0; i < image.size(); i += image.channels) {
    sum += image.channels == 3 ? luma(image.values + i) : image.values[i];
  }
  const int mean = static_cast<int>((2 * sum + image.count()) / (2 * image.count()));  // rounded
  look_up(table_of([&](int value) { return blended_value(mean, value, factor); }), image);
}

void change_color(const Pixels& image, float factor) {
  if (image.channels != 3) return;
  for (uint8_t* pixel = image.values; pixel < image.values + image.size(); pixel += 3) {
    const int gray = luma(pixel);
    for (int channel = 0; channel < 3; ++channel) pixel[channel] = blended_value(gray, pixel[channel], factor);
  }
}

// Blends with Pillow's filter SMOOTH, which leaves the border as it is. `original` is a copy of the image.
void change_sharpness(const Pixels& image, const uint8_t* original, float factor) {
  const int64_t line = image.line(), pixel = image.channels;
  for (int64_t row = 1; row < image.height - 1; ++row) {
    const uint8_t* const at = original + row * line;
    uint8_t* const to = image.values + row * line;
    for (int64_t i = pixel; i < line - pixel; ++i) {
      const auto across = [&](const uint8_t* center) { return center[-pixel] + center[0] + center[pixel]; };
      const int sum = across(at + i - line) + across(at + i) + across(at + i + line) + 4 * at[i];
      // Pillow adds in single precision. sum / 13 + 1/2 is at least 1/26 away from any integer, so that does not
      // matter.
      to[i] = blended_value((2 * sum + 13) / 26, at[i], factor);
    }
  }
}

void posterize(const Pixels& image, float bits) {
  const int dropped = 8 - std::clamp(static_cast<int>(bits), 0, 8);
  look_up(table_of([&](int value) { return value >> dropped << dropped; }), image);
}

void solarize(const Pixels& image, float magnitude) {
  const float threshold = kValues * magnitude;
  look_up(table_of([&](int value) { return static_cast<float>(value) < threshold ? value : 255 - value; }), image);
}

void invert(const Pixels& image) {
  look_up(table_of([](int value) { return 255 - value; }), image);
}

// x' = xx x + xy y + x0 and y' = yx x + yy y + y0, in pixels.
struct AffineMap {
  double xx = 1, xy = 0, x0 = 0, yx = 0, yy = 1, y0 = 0;
};

// The nearest multiple of 1 / 65536, times 65536.
int32_t fixed_point(double value) {
  return static_cast<int32_t>(std::floor(value * 65536 + 0.5));
}

// Replaces each pixel by that at the mapped position of its center, as Pillow's affine_fixed does.
template <int kChannels>
void move_pixels(const Pixels& image, const uint8_t* original, const AffineMap& map) {
  static constexpr std::array<uint8_t, 3> kOutside = {kGray, kGray, kGray};
  const int32_t xx = fixed_point(map.xx), xy = fixed_point(map.xy), yx = fixed_point(map.yx), yy = fixed_point(map.yy);
  const int32_t x0 = fixed_point(map.x0 + map.xx * 0.5 + map.xy * 0.5);
  const int32_t y0 = fixed_point(map.y0 + map.yx * 0.5 + map.yy * 0.5);
  const auto width = static_cast<int32_t>(image.width), height = static_cast<int32_t>(image.height);
  uint8_t* to = image.values;
  for (int32_t row = 0; row < height; ++row) {
    int32_t x = x0 + row * xy, y = y0 + row * yy;
    for (int32_t column = 0; column < width; ++column, x += xx, y += yx) {
      const int32_t from_column = x >> 16, from_row = y >> 16;
      const bool inside = from_column >= 0 && from_column < width && from_row >= 0 && from_row < height;
      const uint8_t* const from =
          inside ? original + (from_row * image.width + from_column) * kChannels : kOutside.data();
      for (int channel = 0; channel < kChannels; ++channel) *to++ = from[channel];
    }
  }
}

// Python's round(value, 15): the double nearest to the decimal.
double rounded_to_15_decimals(double value) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 15);
  std::from_chars(text.data(), end, value);
  return value;
}

// Pillow handles multiples of 90 degrees separately; this map gives the same result.
AffineMap rotation(const Pixels& image, float magnitude) {
  double degrees = std::fmod(static_cast<double>(magnitude), 360.0);
  if (degrees < 0) degrees += 360;
  const double angle = -(degrees * (std::numbers::pi / 180));
  const double cosine = rounded_to_15_decimals(std::cos(angle)), sine = rounded_to_15_decimals(std::sin(angle));
  const double x = static_cast<double>(image.width) / 2, y = static_cast<double>(image.height) / 2;
  return {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y};
}

// A translation by whole pixels. Unlike other maps, Pillow does not round it to 1 / 65536 first.
double whole_pixels(float magnitude, int64_t size) {
  return std::floor(static_cast<double>(magnitude) * static_cast<double>(size) + 0.5);
}

AffineMap map_of(ImageOperation operation, const Pixels& image, float magnitude) {
  switch (operation) {
    case kRotate:
      return rotation(image, magnitude);
    case kShearX:
      return {.xy = magnitude};
    case kShearY:
      return {.yx = magnitude};
    case kTranslateX:
      return {.x0 = whole_pixels(magnitude, image.width)};
    case kTranslateY:
      return {.y0 = whole_pixels(magnitude, image.height)};
    default:
      return {};
  }
}

// The pixel at a position from 0 to below 1.
int64_t pixel_at(float position, int64_t size) {
  if (std::isnan(position)) return 0;
  const double pixel = static_cast<double>(position) * static_cast<double>(size);
  return static_cast<int64_t>(std::clamp(pixel, 0.0, static_cast<double>(size - 1)));
}

void cut_out(const Pixels& image, float magnitude, const float* center) {
  const auto side = static_cast<int64_t>(whole_pixels(magnitude, std::min(image.height, image.width)));
  if (side <= 0) return;
  const int64_t left = pixel_at(center[0], image.width) - side / 2;
  const int64_t top = pixel_at(center[1], image.height) - side / 2;
  const int64_t first = std::max<int64_t>(left, 0), last = std::min(left + side, image.width);
  for (int64_t row = std::max<int64_t>(top, 0); row < std::min(top + side, image.height); ++row) {
    std::memset(image.values + row * image.line() + first * image.channels, kGray, (last - first) * image.channels);
  }
}

float usable_magnitude(ImageOperation operation, float magnitude) {
  if (std::isnan(magnitude)) return 0;
  const float limit = operation == kRotate ? kLargestAngle : kLargestMagnitude;
  return std::clamp(magnitude, -limit, limit);
}

// `buffer` has the size of the image.
void apply_operation(ImageOperation operation, float magnitude, const float* center, const Pixels& image,
                     uint8_t* buffer) {
  switch (operation) {
    case kIdentity:
      return;
    case kAutoContrast:
      return stretch_contrast(image);
    case kBrightness:
      return change_brightness(image, magnitude);
    case kColor:
      return change_color(image, magnitude);
    case kContrast:
      return change_contrast(image, magnitude);
    case kEqualize:
      return equalize(image);
    case kPosterize:
      return posterize(image, magnitude);
    case kSharpness:
      std::memcpy(buffer, image.values, image.size());
      return change_sharpness(image, buffer, magnitude);
    case kSolarize:
      return solarize(image, magnitude);
    case kRotate:
    case kShearX:
    case kShearY:
    case kTranslateX:
    case kTranslateY: {
      std::memcpy(buffer, image.values, image.size());
      const AffineMap map = map_of(operation, image, magnitude);
      return image.channels == 3 ? move_pixels<3>(image, buffer, map) : move_pixels<1>(image, buffer, map);
    }
    case kInvert:
      return invert(image);
    case kCutout:
      return cut_out(image, magnitude, center);
  }
}

// ---- The same with operators. Each group leaves images with other codes as they are. ----

// One operation for each image.
struct OperationStep {
  at::Tensor codes;       // int32, N
  at::Tensor magnitudes;  // float, N; within the limits
  at::Tensor positions;   // float, N x 2
};

// N values, to be broadcast to N x ... with so many dimensions.
at::Tensor for_each_image(const at::Tensor& values, int64_t dimensions) {
  std::vector<int64_t> shape(dimensions, 1);
  shape[0] = values.numel();
  return values.view(shape);
}

at::Tensor has_code(const OperationStep& step, ImageOperation operation) {
  return step.codes.eq(static_cast<int32_t>(operation));
}

// Replaces `others` where the code is `operation`.
at::Tensor where_code(const OperationStep& step, ImageOperation operation, const at::Tensor& values,
                      const at::Tensor& others) {
  return at::where(for_each_image(has_code(step, operation), values.dim()), values, others);
}

at::Tensor zero_for_nan(const at::Tensor& values) {
  return at::where(values.eq(values), values, at::full_like(values, 0));
}

// Magnitudes without NaN, within the limits of apply_operations.
at::Tensor usable_magnitudes(const at::Tensor& codes, const at::Tensor& magnitudes) {
  const at::Tensor limit = at::where(codes.eq(static_cast<int32_t>(kRotate)), at::full_like(magnitudes, kLargestAngle),
                                     at::full_like(magnitudes, kLargestMagnitude));
  return zero_for_nan(magnitudes).minimum(limit).maximum(-limit);
}

// Floats from 0 to 255 without a fraction.
at::Tensor blended_values(const at::Tensor& from, const at::Tensor& to, const at::Tensor& factor) {
  return (from + factor * (to - from)).clamp(0, 255).floor();
}

// From N x H x W x C to N x H x W integers. The channel itself, if there is only one.
at::Tensor luma_of(const at::Tensor& images) {
  const at::Tensor values = images.to(at::kInt);
  if (images.size(3) == 1) return values.select(3, 0);
  return (19595 * values.select(3, 0) + 38470 * values.select(3, 1) + 7471 * values.select(3, 2) + 0x8000)
      .div(65536, "trunc");
}

// Integers, N x C x HW.
at::Tensor planes_of(const at::Tensor& images) {
  return images.permute({0, 3, 1, 2}).flatten(2).to(at::kLong);
}

at::Tensor stretched_values(const at::Tensor& planes, const at::Tensor& values) {
  const at::Tensor low = planes.amin(2, /*keepdim=*/true), span = planes.amax(2, /*keepdim=*/true) - low;
  const at::Tensor divisor = span.clamp_min(1).to(at::kDouble);
  const at::Tensor scale = at::full_like(divisor, 255).div(divisor);  // 255 / divisor would multiply by a reciprocal
  const at::Tensor stretched = (values * scale + low.neg() * scale).clamp(0, 255).floor().to(at::kFloat);
  return at::where(span.gt(0), stretched, values);
}

at::Tensor equalized_values(const at::Tensor& planes, const at::Tensor& values) {
  const at::Tensor counts = at::zeros({planes.size(0), planes.size(1), kValues}, planes.options())
                                .scatter_add_(2, planes, at::ones_like(planes));
  const at::Tensor last = counts.gather(2, planes.amax(2, /*keepdim=*/true));
  const at::Tensor step = (last.neg() + planes.size(2)).div(255, "trunc");
  const at::Tensor divisor = step.clamp_min(1);
  const at::Tensor below = counts.cumsum(2) - counts + step.div(2, "trunc");
  return at::where(step.gt(0), below.div(divisor, "trunc").clamp_max(255).to(at::kFloat), values);
}

at::Tensor contrast_values(const at::Tensor& images, const at::Tensor& values, const at::Tensor& factor) {
  const int64_t count = images.size(1) * images.size(2);
  const at::Tensor sum = luma_of(images).flatten(1).sum(1, /*keepdim=*/true, at::kLong);
  const at::Tensor mean = (2 * sum + count).div(2 * count, "trunc");
  return blended_values(mean.unsqueeze(2).to(at::kFloat), values, factor);
}

at::Tensor posterized_values(const at::Tensor& values, const at::Tensor& bits) {
  const at::Tensor dropped = 8 - bits.to(at::kInt).clamp(0, 8);
  const at::Tensor unit = at::ones_like(dropped).bitwise_left_shift(dropped).to(at::kFloat);
  return values.div(unit).floor() * unit;
}

// The operations that replace each value by another one.
at::Tensor with_new_values(const at::Tensor& images, const OperationStep& step) {
  const at::Tensor magnitudes = for_each_image(step.magnitudes, 3), planes = planes_of(images);
  const at::Tensor values = at::arange(kValues, magnitudes.options()).view({1, 1, kValues});
  const at::Tensor inverted = 255 - values, black = at::zeros({1}, magnitudes.options());
  at::Tensor tables = values.expand({images.size(0), images.size(3), kValues});
  tables = where_code(step, kAutoContrast, stretched_values(planes, values), tables);
  tables = where_code(step, kBrightness, blended_values(black, values, magnitudes), tables);
  tables = where_code(step, kContrast, contrast_values(images, values, magnitudes), tables);
  tables = where_code(step, kEqualize, equalized_values(planes, values), tables);
  tables = where_code(step, kPosterize, posterized_values(values, magnitudes), tables);
  tables = where_code(step, kSolarize, at::where(values.lt(kValues * magnitudes), values, inverted), tables);
  tables = where_code(step, kInvert, inverted, tables);
  const at::Tensor changed = tables.to(at::kByte).gather(2, planes);
  return changed.view({images.size(0), images.size(3), images.size(1), images.size(2)}).permute({0, 2, 3, 1});
}

// Pillow's filter SMOOTH.
at::Tensor smoothed(const at::Tensor& images) {
  const int64_t height = images.size(1), width = images.size(2);
  if (height < 3 || width < 3) return images;
  const auto sum_of_three = [](const at::Tensor& values, int64_t dim) {
    const int64_t size = values.size(dim) - 2;
    return values.narrow(dim, 0, size) + values.narrow(dim, 1, size) + values.narrow(dim, 2, size);
  };
  const auto inner = [&](const at::Tensor& values) { return values.narrow(1, 1, height - 2).narrow(2, 1, width - 2); };
  const at::Tensor values = images.to(at::kInt);
  const at::Tensor sum = sum_of_three(sum_of_three(values, 1), 2) + 4 * inner(values);
  const at::Tensor result = values.clone();
  inner(result).copy_((2 * sum + 13).div(26, "trunc"));
  return result;
}

// The operations that blend each image with a changed image. Blending an image with itself does not change it.
at::Tensor with_blended_pixels(const at::Tensor& images, const OperationStep& step) {
  const at::Tensor values = images.to(at::kFloat);
  at::Tensor other = where_code(step, kSharpness, smoothed(images).to(at::kFloat), values);
  other = where_code(step, kColor, luma_of(images).unsqueeze(3).to(at::kFloat), other);
  return blended_values(other, values, for_each_image(step.magnitudes, 4)).to(at::kByte);
}

at::Tensor fixed_points(const at::Tensor& values) {
  return (values * 65536 + 0.5).floor().to(at::kLong);
}

// The operations that move pixels. All others have the identity as their map.
at::Tensor with_moved_pixels(const at::Tensor& images, const OperationStep& step) {
  const int64_t count = images.size(0), height = images.size(1), width = images.size(2), channels = images.size(3);
  const at::Tensor magnitudes = step.magnitudes.to(at::kDouble);
  const at::Tensor zeros = at::zeros({count}, magnitudes.options());
  const auto only = [&](ImageOperation operation, const at::Tensor& values) {
    return where_code(step, operation, values, zeros);
  };
  const auto pixels = [&](int64_t size) { return (magnitudes * static_cast<double>(size) + 0.5).floor(); };

  const double x = static_cast<double>(width) / 2, y = static_cast<double>(height) / 2;
  const at::Tensor angle = only(kRotate, magnitudes).remainder(360).mul(std::numbers::pi / 180).neg();
  const at::Tensor cosine = angle.cos().mul(1e15).round().div(1e15), sine = angle.sin().mul(1e15).round().div(1e15);
  const at::Tensor xy = sine + only(kShearX, magnitudes), yx = sine.neg() + only(kShearY, magnitudes);
  const at::Tensor x0 = cosine * -x + sine * -y + x + only(kTranslateX, pixels(width));
  const at::Tensor y0 = sine.neg() * -x + cosine * -y + y + only(kTranslateY, pixels(height));

  const at::Tensor columns = at::arange(width, step.codes.options().dtype(at::kLong));
  const at::Tensor rows = at::arange(height, columns.options()).view({height, 1});
  // Rows or columns of the pixels that the result shows.
  const auto sources = [&](const at::Tensor& across, const at::Tensor& down, const at::Tensor& start) {
    const at::Tensor first = fixed_points(start + across * 0.5 + down * 0.5);
    return (for_each_image(first, 3) + columns * for_each_image(fixed_points(across), 3) +
            rows * for_each_image(fixed_points(down), 3))
        .div(65536, "floor");
  };
  const at::Tensor from_column = sources(cosine, xy, x0), from_row = sources(yx, cosine, y0);
  const at::Tensor inside = from_column.ge(0) & from_column.lt(width) & from_row.ge(0) & from_row.lt(height);
  const at::Tensor index = from_row.clamp(0, height - 1) * width + from_column.clamp(0, width - 1);
  const at::Tensor moved = images.reshape({count, height * width, channels})
                               .gather(1, index.view({count, height * width, 1}).expand({-1, -1, channels}))
                               .view({count, height, width, channels});
  return at::where(inside.unsqueeze(3), moved, at::full_like(moved, kGray));
}

at::Tensor with_cutout(const at::Tensor& images, const OperationStep& step) {
  const int64_t height = images.size(1), width = images.size(2);
  const at::Tensor magnitudes = step.magnitudes.to(at::kDouble);
  const auto shorter = static_cast<double>(std::min(height, width));
  const at::Tensor side = where_code(step, kCutout, (magnitudes * shorter + 0.5).floor(), at::full_like(magnitudes, 0));
  const at::Tensor half = side.div(2, "floor");
  // Whether each row or column lies in the square.
  const auto covered = [&](int64_t axis, int64_t size) {
    const at::Tensor position = zero_for_nan(step.positions.select(1, axis)).to(at::kDouble);
    const at::Tensor center = (position * static_cast<double>(size)).clamp(0, size - 1).floor();
    const at::Tensor first = (center - half).unsqueeze(1);
    const at::Tensor places = at::arange(size, first.options());
    return places.ge(first) & places.lt(first + side.unsqueeze(1));
  };
  const at::Tensor square = covered(1, height).unsqueeze(2) & covered(0, width).unsqueeze(1);
  return at::where(square.unsqueeze(3), at::full_like(images, kGray), images);
}

}  // namespace

std::span<const OperationInfo> image_operations() {
  return kOperations;
}

OperationLoop::OperationLoop(const ImageOperations& operations, at::IntArrayRef images) {
  check_arguments(images, operations);
  height_ = images[1];
  width_ = images[2];
  channels_ = images[3];
  TORCH_CHECK(operations.codes.is_cpu() && operations.magnitudes.is_cpu() && operations.positions.is_cpu(),
              "operations must be on the CPU");
  operations_ = {operations.codes.contiguous(), operations.magnitudes.contiguous(), operations.positions.contiguous()};
}

void OperationLoop::apply(int64_t index, uint8_t* image, uint8_t* buffer) const {
  const int64_t steps = operations_.codes.size(1), first = index * steps;
  const int32_t* const codes = operations_.codes.data_ptr<int32_t>();
  const float* const magnitudes = operations_.magnitudes.data_ptr<float>();
  const float* const centers = operations_.positions.data_ptr<float>();
  for (int64_t j = first; j < first + steps; ++j) {
    const auto operation = static_cast<ImageOperation>(codes[j]);
    apply_operation(operation, usable_magnitude(operation, magnitudes[j]), centers + 2 * j,
                    {image, height_, width_, channels_}, buffer);
  }
}

at::Tensor apply_operations_by_operators(const at::Tensor& images, const ImageOperations& operations) {
  TORCH_CHECK(images.scalar_type() == at::kByte, "images must be uint8; got ", images.scalar_type());
  check_arguments(images.sizes(), operations);
  const auto& [codes, magnitudes, positions] = operations;
  const at::Tensor usable = usable_magnitudes(codes, magnitudes);
  at::Tensor result = images;
  for (int64_t j = 0; j < codes.size(1); ++j) {
    const OperationStep step{codes.select(1, j), usable.select(1, j), positions.select(1, j)};
    result = with_cutout(with_moved_pixels(with_blended_pixels(with_new_values(result, step), step), step), step);
  }
  return codes.size(1) == 0 ? images.clone() : result.contiguous();
}

}  // namespace frgan
