#include "frgan/io/area_resize.h"

#include <algorithm>
#include <cstddef>

#include "frgan/core/vectorised.h"

namespace frgan {
namespace {

constexpr int64_t kBlock = 8;  // rows of the result that are computed together

// The pixels of a line that contribute to each pixel of its result.
struct Axis {
  struct Taps {
    int64_t first, count;  // pixels of the image
    size_t weights;        // index of the first weight
  };
  std::vector<Taps> taps;  // of each pixel of the result
  std::vector<float> weights;
};

// In units of 1/2 pixel of the result, all limits are integers: pixel j of the image is [2 j s, 2 (j + 1) s].
void add_taps(Axis& axis, int64_t i, int64_t n, int64_t s) {
  const int64_t center = (2 * i + 1) * n, half = std::max(n, s), pixel = 2 * s;
  const int64_t begin = std::max<int64_t>(0, center - half), end = std::min(pixel * n, center + half);
  const int64_t first = begin / pixel, last = (end + pixel - 1) / pixel;
  axis.taps.push_back({first, last - first, axis.weights.size()});
  for (int64_t j = first; j < last; ++j) {
    const int64_t common = std::min(end, (j + 1) * pixel) - std::max(begin, j * pixel);
    axis.weights.push_back(static_cast<float>(common) / static_cast<float>(end - begin));
  }
}

Axis axis_of(int64_t n, int64_t s) {
  Axis axis;
  for (int64_t i = 0; i < s; ++i) add_taps(axis, i, n, s);
  return axis;
}

// sum = the weighted sum of `rows` rows of `count` bytes. Four rows are read at once, because each pass reads and
// writes the sum.
FRGAN_VECTORISED void sum_rows(const uint8_t* pixels, int64_t count, const float* weights, int64_t rows, float* sum) {
  for (int64_t x = 0; x < count; ++x) sum[x] = 0;
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4, pixels += 4 * count) {
    const uint8_t *a = pixels, *b = a + count, *c = b + count, *d = c + count;
    const float wa = weights[row], wb = weights[row + 1], wc = weights[row + 2], wd = weights[row + 3];
    for (int64_t x = 0; x < count; ++x) {
      sum[x] += (wa * static_cast<float>(a[x]) + wb * static_cast<float>(b[x])) +
                (wc * static_cast<float>(c[x]) + wd * static_cast<float>(d[x]));
    }
  }
  for (; row < rows; ++row, pixels += count) {
    const float weight = weights[row];
    for (int64_t x = 0; x < count; ++x) sum[x] += weight * static_cast<float>(pixels[x]);
  }
}

// columns[x][r] = rows[r][x], for `count` values of kBlock rows.
FRGAN_VECTORISED void interleave(const float* rows, int64_t count, float* columns) {
  for (int64_t x = 0; x < count; ++x) {
    for (int64_t r = 0; r < kBlock; ++r) columns[x * kBlock + r] = rows[r * count + x];
  }
}

// Weighted sums of interleaved pixels, for each pixel of the result: result[x][r].
FRGAN_VECTORISED void resize_columns(const float* columns, int64_t channels, const Axis::Taps* taps, int64_t count,
                                     const float* all_weights, float* result) {
  for (int64_t i = 0; i < count; ++i) {
    const float* const weights = all_weights + taps[i].weights;
    for (int64_t channel = 0; channel < channels; ++channel) {
      const float* pixel = columns + (taps[i].first * channels + channel) * kBlock;
      float sums[kBlock] = {};
      for (int64_t tap = 0; tap < taps[i].count; ++tap, pixel += channels * kBlock) {
        for (int64_t r = 0; r < kBlock; ++r) sums[r] += weights[tap] * pixel[r];
      }
      for (int64_t r = 0; r < kBlock; ++r) *result++ = sums[r];
    }
  }
}

}  // namespace

std::vector<float> area_resized(std::span<const uint8_t> pixels, PixelSize from, int64_t channels, PixelSize to) {
  const int64_t before = from.width * channels, after = to.width * channels;  // values in a row
  const Axis vertical = axis_of(from.height, to.height), horizontal = axis_of(from.width, to.width);
  std::vector<float> result(static_cast<size_t>(to.height * after));
  std::vector<float> rows(static_cast<size_t>(kBlock * before)), columns(rows.size()),
      resized(static_cast<size_t>(kBlock * after));
  for (int64_t first = 0; first < to.height; first += kBlock) {
    const int64_t count = std::min(kBlock, to.height - first);
    for (int64_t r = 0; r < count; ++r) {
      const Axis::Taps& taps = vertical.taps[static_cast<size_t>(first + r)];
      sum_rows(pixels.data() + taps.first * before, before, vertical.weights.data() + taps.weights, taps.count,
               rows.data() + r * before);
    }
    interleave(rows.data(), before, columns.data());
    resize_columns(columns.data(), channels, horizontal.taps.data(), to.width, horizontal.weights.data(),
                   resized.data());
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t x = 0; x < after; ++x) result[(first + r) * after + x] = resized[x * kBlock + r];
    }
  }
  return result;
}

std::vector<float> area_weights(int64_t i, int64_t n, int64_t s) {
  Axis axis;
  add_taps(axis, i, n, s);
  std::vector<float> weights(static_cast<size_t>(n));
  std::copy(axis.weights.begin(), axis.weights.end(), weights.begin() + axis.taps.front().first);
  return weights;
}

std::vector<float> gray_of(std::span<const float> rgb) {
  std::vector<float> gray(rgb.size() / 3);
  for (size_t i = 0; i < gray.size(); ++i) {
    gray[i] = 0.299F * rgb[3 * i] + 0.587F * rgb[3 * i + 1] + 0.114F * rgb[3 * i + 2];
  }
  return gray;
}

std::vector<uint8_t> rounded_bytes(std::span<const float> values) {
  std::vector<uint8_t> bytes(values.size());
  std::transform(values.begin(), values.end(), bytes.begin(), [](float value) {
    const float shifted = value + 0.5F;  // positive, so truncation rounds
    return static_cast<uint8_t>(shifted);
  });
  return bytes;
}

}  // namespace frgan
