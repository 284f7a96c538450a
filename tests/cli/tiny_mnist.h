// Writes small synthetic images, easy to learn, in MNIST's file format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace frgan {

// Writes an IDX file: type (uint8) and rank, dimensions as 4-byte big-endian numbers, then the values.
inline void write_idx(const std::filesystem::path& path, const std::vector<uint32_t>& shape,
                      const std::string& values) {
  std::ofstream file(path, std::ios::binary);
  file << '\0' << '\0' << '\x08' << static_cast<char>(shape.size());
  for (const uint32_t length : shape) {
    for (int shift = 24; shift >= 0; shift -= 8) file << static_cast<char>(length >> shift);
  }
  file << values;
}

// Writes `count` images of 28 x 28 pixels and their labels i % 10. Class k is a bright square at the k-th of ten
// positions, with noise.
inline void write_images(const std::filesystem::path& folder, const std::string& role, uint32_t count) {
  std::string images, labels;
  uint32_t noise = 1;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t label = i % 10, left = 5 * (label % 5), top = 10 * (label / 5);
    labels += static_cast<char>(label);
    for (uint32_t y = 0; y < 28; ++y) {
      for (uint32_t x = 0; x < 28; ++x) {
        noise = noise * 1664525 + 1013904223;
        const bool inside = x >= left && x < left + 8 && y >= top && y < top + 8;
        images += static_cast<char>((noise >> 26) + (inside ? 150 : 0));
      }
    }
  }
  write_idx(folder / (role + "-images-idx3-ubyte"), {count, 28, 28}, images);
  write_idx(folder / (role + "-labels-idx1-ubyte"), {count}, labels);
}

}  // namespace frgan
