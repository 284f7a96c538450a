#include "frgan/core/image_shape.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {

void check_image_shape(int64_t image_size, int64_t channels, const std::string& source) {
  if (image_size < 16 || image_size > 128 || image_size % 8 != 0) {
    throw usage_error(
        fmt::format("{}: unsupported image size {}x{}; must be a multiple of 8 from 16 to 128; the nearest is {}",
                    source, image_size, image_size, std::clamp<int64_t>((image_size + 4) / 8 * 8, 16, 128)));
  }
  if (channels != 1 && channels != 3) {
    throw usage_error(
        fmt::format("{}: unsupported number of channels {}; must be 1 (gray) or 3 (RGB)", source, channels));
  }
}

}  // namespace frgan
