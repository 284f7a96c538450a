// Size and channels of a PNG, read from its first bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace frgan {

struct PngHeader {
  int32_t width = 0;
  int32_t height = 0;
  int32_t channels = 0;  // 1 gray, 2 gray and alpha, 3 RGB or palette, 4 RGB and alpha
};

// Throws an Error that starts with the file's `name` if the bytes are not a PNG. Safe for untrusted bytes.
PngHeader read_png_header(std::span<const std::byte> bytes, std::string_view name);

}  // namespace frgan
