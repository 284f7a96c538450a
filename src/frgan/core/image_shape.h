// The shape of images and classes, and a view of the pixels of images.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace frgan {

// Pixels a side.
inline constexpr int64_t kSmallestImage = 16, kLargestImage = 512;

// The image shape and number of classes that a network is built for.
struct ImageShape {
  int64_t image_size = 32;  // a multiple of 8, 16 to kLargestImage
  int64_t channels = 3;     // 1 or 3
  int64_t classes = 10;     // 2 to 1000

  int64_t values() const { return channels * image_size * image_size; }
};

// The supported size that is nearest to a number of pixels.
int64_t nearest_image_size(int64_t pixels);

// Checks that the networks support this shape: a size that is a multiple of 8 from 16 to 512, and 1 or 3 channels.
// Throws a usage error that begins with `source`.
void check_image_shape(int64_t image_size, int64_t channels, const std::string& source);

// Pixels of N square images, uint8 0 to 255, N x S x S x C. Valid as long as their owner.
struct ImageView {
  std::span<const uint8_t> pixels;
  int64_t image_size = 0;  // S
  int64_t channels = 0;    // C, 1 or 3

  int64_t image_bytes() const { return image_size * image_size * channels; }
  int64_t size() const { return static_cast<int64_t>(pixels.size()) / image_bytes(); }  // N
  ImageView operator[](int64_t i) const {
    const auto bytes = static_cast<size_t>(image_bytes());
    return {pixels.subspan(static_cast<size_t>(i) * bytes, bytes), image_size, channels};
  }
};

}  // namespace frgan
