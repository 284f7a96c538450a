// PNG, JPEG and WebP files: decoding and EXIF orientation with OpenCV, and resizing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/resize_rule.h"

namespace frgan {

constexpr int64_t kLargestImageFile = int64_t{1} << 30;  // bytes

// Reads an image as size x size x channels uint8 values, 0 to 255; `channels` is 1 (gray) or 3 (RGB).
//
//   const std::vector<uint8_t> pixels = read_image("cat.jpg", 32, 3);  // 32 * 32 * 3 values
//
// The EXIF orientation is applied and alpha is dropped. 16 bits are reduced to 8. The image is resized to a square
// without keeping its aspect ratio. ResizeRule::kArea does this in single precision (io/area_resize.h), then converts
// RGB to gray, 0.299 R + 0.587 G + 0.114 B, and rounds.
//
// Throws an Error that names the file and the reason: missing, not a PNG, JPEG or WebP, truncated, corrupt, or more
// than 2^27 pixels. Safe for untrusted files. Thread-safe. A JPEG has no checksum, so a corrupt one may decode without
// an error; libjpeg then prints a warning to stderr.
std::vector<uint8_t> read_image(const std::filesystem::path& path, int64_t size, int64_t channels,
                                ResizeRule rule = ResizeRule::kArea);
// The same without rounding, 0 to 255. (ResizeRule::kOpenCvArea always rounds.)
std::vector<float> read_unrounded_image(const std::filesystem::path& path, int64_t size, int64_t channels,
                                        ResizeRule rule = ResizeRule::kArea);
// The same as read_image from the bytes of a file; `name` is its name in messages.
std::vector<uint8_t> decode_image(std::span<const std::byte> bytes, int64_t size, int64_t channels,
                                  std::string_view name, ResizeRule rule = ResizeRule::kArea);
// The same, resized to height x width. With the image's own height and width, the pixels of the file are unchanged.
std::vector<uint8_t> decode_pixels(std::span<const std::byte> bytes, int64_t height, int64_t width, int64_t channels,
                                   std::string_view name, ResizeRule rule = ResizeRule::kArea);

// Whether the extension is .png, .jpg, .jpeg or .webp, in upper or lower case.
bool is_image_name(const std::filesystem::path& path);

// Encodes height x width x channels pixels (uint8; 1 gray or 3 RGB channels) as a PNG, or writes it atomically (see
// SafeFile).
std::string encode_png(std::span<const uint8_t> pixels, int64_t height, int64_t width, int64_t channels);
void write_png(const std::filesystem::path& path, std::span<const uint8_t> pixels, int64_t height, int64_t width,
               int64_t channels);

}  // namespace frgan
