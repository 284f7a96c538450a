// Resizing of images by area averaging.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace frgan {

struct PixelSize {
  int64_t height = 0, width = 0;
};

// Resizes height x width x channels pixels, in single precision. Each axis has this rule, with n pixels before and s
// after:
//
// - Pixel i of the result has its center at c = (i + 1/2) n / s. It is the mean over [c - b/2, c + b/2] of the image,
//   where b = max(n / s, 1) and the part outside of the image does not count.
// - Thus, a smaller image has the means of areas. A larger one is interpolated linearly between the centers of pixels.
// - Without a change of size, all values stay exactly the same.
//
// The result has the same bits on every processor.
std::vector<float> area_resized(std::span<const uint8_t> pixels, PixelSize from, int64_t channels, PixelSize to);

// The weight of each of n pixels in pixel i of s. They sum to 1.
std::vector<float> area_weights(int64_t i, int64_t n, int64_t s);

// Gray values 0.299 R + 0.587 G + 0.114 B of RGB pixels.
std::vector<float> gray_of(std::span<const float> rgb);

// Rounded to the nearest byte. The values must be in [0, 255.5).
std::vector<uint8_t> rounded_bytes(std::span<const float> values);

}  // namespace frgan
