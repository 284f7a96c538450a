// PNG, JPEG and WebP files: decoding, EXIF orientation and resizing with OpenCV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

// Reads an image as size x size x channels uint8 values, 0 to 255; `channels` is 1 (gray) or 3 (RGB).
//
//   const std::vector<uint8_t> pixels = read_image("cat.jpg", 32, 3);  // 32 * 32 * 3 values
//
// The EXIF orientation is applied and alpha is dropped. 16 bits are reduced to 8, and gray and RGB are converted to
// `channels`. The image is resized to a square by area averaging, without keeping its aspect ratio.
//
// Throws an Error that names the file and the reason: missing, not a PNG, JPEG or WebP, truncated, corrupt, or more
// than 2^27 pixels. Safe for untrusted files. Thread-safe. A JPEG has no checksum, so a corrupt one may decode without
// an error; libjpeg then prints a warning to stderr.
std::vector<uint8_t> read_image(const std::filesystem::path& path, int64_t size, int64_t channels);
// The same from the bytes of a file; `name` is its name in messages.
std::vector<uint8_t> decode_image(std::span<const std::byte> bytes, int64_t size, int64_t channels,
                                  std::string_view name);
// The same, resized to height x width. With the image's own height and width, the pixels of the file are unchanged.
std::vector<uint8_t> decode_pixels(std::span<const std::byte> bytes, int64_t height, int64_t width, int64_t channels,
                                   std::string_view name);

// Whether the extension is .png, .jpg, .jpeg or .webp, in upper or lower case.
bool is_image_name(const std::filesystem::path& path);

// Encodes height x width x channels pixels (uint8; 1 gray or 3 RGB channels) as a PNG, or writes it atomically (see
// SafeFile).
std::string encode_png(std::span<const uint8_t> pixels, int64_t height, int64_t width, int64_t channels);
void write_png(const std::filesystem::path& path, std::span<const uint8_t> pixels, int64_t height, int64_t width,
               int64_t channels);

}  // namespace frgan
