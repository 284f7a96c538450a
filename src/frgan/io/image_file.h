// Image files: PNG, JPEG and WebP, decoded, turned and resized by OpenCV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

// An image as uint8, size x size x channels; RGB where channels is 3.
//
//   const std::vector<uint8_t> pixels = read_image("cat.jpg", 32, 3);  // 32 * 32 * 3 numbers, 0..255
//
// The image is turned as its EXIF says, alpha is dropped, 16 bits become 8, grey becomes RGB (`channels` 3) or RGB
// becomes grey (1), and the whole of it is resized to the square by averaging areas (its sides are not kept in
// proportion). Throws an Error that names the file and the reason: missing, no PNG, JPEG or WebP, cut short, altered,
// or more than 2^27 pixels. Any bytes are safe to read. May be called by many threads at once. A JPEG has no checksum:
// one whose inside was altered may be read, as other programs do (libjpeg then puts a line on the error stream).
std::vector<uint8_t> read_image(const std::filesystem::path& path, int64_t size, int64_t channels);
// The same from the bytes of a file; `name` stands for it in messages.
std::vector<uint8_t> decode_image(std::span<const std::byte> bytes, int64_t size, int64_t channels,
                                  std::string_view name);
// The same, resized to height x width: with those of its header, the pixels that are in the file.
std::vector<uint8_t> decode_pixels(std::span<const std::byte> bytes, int64_t height, int64_t width, int64_t channels,
                                   std::string_view name);

// Whether the name ends as that of an image does: .png, .jpg, .jpeg, .webp in any case.
bool is_image_name(const std::filesystem::path& path);

// A PNG of height x width x channels pixels (uint8; 1 grey or 3 RGB): as bytes, or written safely (see SafeFile).
std::string encode_png(std::span<const uint8_t> pixels, int64_t height, int64_t width, int64_t channels);
void write_png(const std::filesystem::path& path, std::span<const uint8_t> pixels, int64_t height, int64_t width,
               int64_t channels);

}  // namespace frgan
