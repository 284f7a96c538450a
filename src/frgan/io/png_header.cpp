#include "frgan/io/png_header.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {

PngHeader read_png_header(std::span<const std::byte> bytes, std::string_view name) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  constexpr size_t kWidth = 16, kHeight = 20, kColorType = 25, kEnd = 29;  // byte offsets in the file
  if (bytes.size() < kEnd || !std::ranges::equal(bytes.first(kSignature.size()), bytes_of(kSignature))) {
    throw Error(fmt::format("{}: not a PNG file; it may be truncated or corrupt", name));
  }
  const auto number_at = [&](size_t place) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4; ++i) number = number << 8 | std::to_integer<uint32_t>(bytes[place + i]);
    return number;
  };
  const uint32_t width = number_at(kWidth), height = number_at(kHeight), color_type = number_at(kColorType) >> 24;
  constexpr uint32_t kMost = 1U << 30;
  if (width == 0 || height == 0 || width > kMost || height > kMost) {
    throw Error(fmt::format("{}: invalid PNG size {} x {}; sides must be 1 to {} pixels", name, width, height, kMost));
  }
  const int32_t channels = color_type == 0 ? 1 : color_type == 4 ? 2 : color_type == 6 ? 4 : 3;
  return {static_cast<int32_t>(width), static_cast<int32_t>(height), channels};
}

}  // namespace frgan
