#include "frgan/core/image_shape.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {

int64_t nearest_image_size(int64_t pixels) {
  return std::clamp((pixels + 4) / 8 * 8, kSmallestImage, kLargestImage);
}

void check_image_shape(int64_t image_size, int64_t channels, const std::string& source) {
  if (image_size < kSmallestImage || image_size > kLargestImage || image_size % 8 != 0) {
    throw usage_error(
        fmt::format("{}: unsupported image size {}x{}; must be a multiple of 8 from {} to {}; the nearest is {}",
                    source, image_size, image_size, kSmallestImage, kLargestImage, nearest_image_size(image_size)));
  }
  if (channels != 1 && channels != 3) {
    throw usage_error(
        fmt::format("{}: unsupported number of channels {}; must be 1 (gray) or 3 (RGB)", source, channels));
  }
}

}  // namespace frgan
