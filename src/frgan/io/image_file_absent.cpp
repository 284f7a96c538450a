#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

Error absent(std::string_view name) {
  return Error(fmt::format("{}: cannot read or write image files: this build has no OpenCV", name));
}

}  // namespace

std::vector<uint8_t> read_image(const std::filesystem::path& path, int64_t /*size*/, int64_t /*channels*/,
                                ResizeRule /*rule*/) {
  throw absent(path.string());
}

std::vector<float> read_unrounded_image(const std::filesystem::path& path, int64_t /*size*/, int64_t /*channels*/,
                                        ResizeRule /*rule*/) {
  throw absent(path.string());
}

std::vector<uint8_t> decode_image(std::span<const std::byte> /*bytes*/, int64_t /*size*/, int64_t /*channels*/,
                                  std::string_view name, ResizeRule /*rule*/) {
  throw absent(name);
}

std::vector<uint8_t> decode_pixels(std::span<const std::byte> /*bytes*/, int64_t /*height*/, int64_t /*width*/,
                                   int64_t /*channels*/, std::string_view name, ResizeRule /*rule*/) {
  throw absent(name);
}

bool is_image_name(const std::filesystem::path& /*path*/) {
  return false;
}

std::string encode_png(std::span<const uint8_t> /*pixels*/, int64_t /*height*/, int64_t /*width*/,
                       int64_t /*channels*/) {
  throw absent("image.png");
}

void write_png(const std::filesystem::path& path, std::span<const uint8_t> /*pixels*/, int64_t /*height*/,
               int64_t /*width*/, int64_t /*channels*/) {
  throw absent(path.string());
}

}  // namespace frgan
