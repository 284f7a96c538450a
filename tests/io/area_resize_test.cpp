#include "frgan/io/area_resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace frgan {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatNear;

// The mean over [begin, end] of a line of pixels with the values `line`, by its definition.
double mean_over(const std::vector<uint8_t>& line, double begin, double end) {
  begin = std::max(begin, 0.0);
  end = std::min(end, static_cast<double>(line.size()));
  double sum = 0;
  for (size_t j = 0; j < line.size(); ++j) {
    const auto left = static_cast<double>(j);
    sum += line[j] * std::max(0.0, std::min(end, left + 1) - std::max(begin, left));
  }
  return sum / (end - begin);
}

std::vector<uint8_t> some_pixels(int64_t count) {
  std::vector<uint8_t> pixels(static_cast<size_t>(count));
  uint32_t state = 1;
  for (uint8_t& pixel : pixels) {
    state = state * 1664525 + 1013904223;
    pixel = static_cast<uint8_t>(state >> 24);
  }
  return pixels;
}

TEST(AreaResize, AveragesAreas) {
  for (const auto& [n, s] :
       std::vector<std::pair<int64_t, int64_t>>{{4, 2}, {7, 3}, {100, 32}, {33, 32}, {3000, 224}}) {
    const std::vector<uint8_t> line = some_pixels(n);
    const std::vector<float> across = area_resized(line, {1, n}, 1, {1, s});
    const std::vector<float> down = area_resized(line, {n, 1}, 1, {s, 1});
    const double scale = static_cast<double>(n) / static_cast<double>(s);
    for (int64_t i = 0; i < s; ++i) {
      const auto at = static_cast<size_t>(i);
      const double expected = mean_over(line, static_cast<double>(i) * scale, static_cast<double>(i + 1) * scale);
      EXPECT_NEAR(across[at], expected, 1e-3) << n << " to " << s << " at " << i;
      EXPECT_NEAR(down[at], across[at], 1e-3);
    }
  }
}

// A larger image: linear interpolation between the centers of pixels, constant beyond the outermost centers.
TEST(AreaResize, InterpolatesLinearly) {
  const std::vector<uint8_t> line{10, 30, 20};
  EXPECT_THAT(area_resized(line, {1, 3}, 1, {1, 6}), ElementsAre(10, 15, 25, 27.5, 22.5, 20));
  const auto larger = area_resized(line, {1, 3}, 1, {1, 7});
  for (int64_t i = 0; i < 7; ++i) {
    const double center = std::clamp((static_cast<double>(i) + 0.5) * 3 / 7 - 0.5, 0.0, 2.0);
    const auto left = std::min<size_t>(1, static_cast<size_t>(center));
    const double part = center - static_cast<double>(left);
    EXPECT_NEAR(larger[static_cast<size_t>(i)], line[left] * (1 - part) + line[left + 1] * part, 1e-5);
  }
}

TEST(AreaResize, KeepsEveryValueOfTheSameSize) {
  const std::vector<uint8_t> pixels = some_pixels(int64_t{19} * 23 * 3);
  const std::vector<float> same = area_resized(pixels, {19, 23}, 3, {19, 23});
  EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), same.begin(), same.end()));
  EXPECT_EQ(rounded_bytes(same), pixels);
}

TEST(AreaResize, SeparatesChannelsAndAxes) {
  const int64_t height = 37, width = 53;
  const std::vector<uint8_t> pixels = some_pixels(height * width * 3);
  const PixelSize to{8, 24};
  const std::vector<float> result = area_resized(pixels, {height, width}, 3, to);
  for (const auto& [y, x, channel] : std::vector<std::array<int64_t, 3>>{{0, 0, 0}, {3, 11, 1}, {7, 23, 2}}) {
    const std::vector<float> rows = area_weights(y, height, to.height), columns = area_weights(x, width, to.width);
    double expected = 0;
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        expected += static_cast<double>(rows[static_cast<size_t>(i)]) * columns[static_cast<size_t>(j)] *
                    pixels[static_cast<size_t>((i * width + j) * 3 + channel)];
      }
    }
    EXPECT_NEAR(result[static_cast<size_t>((y * to.width + x) * 3 + channel)], expected, 1e-3);
  }
}

TEST(AreaResize, HasWeightsThatSumToOne) {
  for (const int64_t n : {1, 2, 31, 32, 33, 500, 4000}) {
    for (const int64_t i : {0, 1, 15, 30, 31}) {
      const std::vector<float> weights = area_weights(i, n, 32);
      EXPECT_EQ(static_cast<int64_t>(weights.size()), n);
      EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1, 1e-6) << n << " at " << i;
    }
  }
}

// A constant image stays constant, also at the largest values: rounding must not leave the range of a byte.
TEST(AreaResize, KeepsConstantImages) {
  for (const int64_t n : {1, 5, 100, 999}) {
    const std::vector<uint8_t> white(static_cast<size_t>(n * n), 255);
    const std::vector<float> result = area_resized(white, {n, n}, 1, {32, 32});
    EXPECT_THAT(result, Each(FloatNear(255, 1e-3F)));
    EXPECT_THAT(rounded_bytes(result), Each(255));
  }
}

TEST(Gray, HasTheWeightsOfRec601) {
  EXPECT_THAT(
      gray_of(std::vector<float>{255, 0, 0, 0, 100, 0, 0, 0, 10, 7, 7, 7}),
      ElementsAre(FloatNear(76.245F, 1e-4F), FloatNear(58.7F, 1e-4F), FloatNear(1.14F, 1e-5F), FloatNear(7, 1e-5F)));
}

}  // namespace
}  // namespace frgan
