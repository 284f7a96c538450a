// What the first bytes of a PNG say of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace frgan {

struct PngHeader {
  int32_t width = 0;
  int32_t height = 0;
  int32_t channels = 0;  // 1 grey, 2 with alpha, 3 RGB (also by a palette), 4 with alpha
};

// `name` stands for the file in the Error that is thrown where the bytes are no PNG. Any bytes are safe to read.
PngHeader read_png_header(std::span<const std::byte> bytes, std::string_view name);

}  // namespace frgan
