// Writes small idx files, the format of MNIST.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/io/files.h"

namespace frgan {

inline void write_idx(const std::filesystem::path& path, const std::vector<int64_t>& shape, const std::string& values) {
  std::string bytes("\0\0\x8", 3);
  bytes += static_cast<char>(shape.size());
  for (const int64_t size : shape) {
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(size >> shift);
  }
  write_file_safely(path, bytes + values);
}

// Writes the four files of a tiny MNIST: three training and two test images, each filled with a different value.
inline void write_tiny_mnist(const std::filesystem::path& folder) {
  constexpr int64_t kPixels = 28 * 28;
  write_idx(folder / "train-images-idx3-ubyte", {3, 28, 28},
            std::string(kPixels, '\1') + std::string(kPixels, '\2') + std::string(kPixels, '\3'));
  write_idx(folder / "train-labels-idx1-ubyte", {3}, std::string("\0\x9\4", 3));
  write_idx(folder / "t10k-images-idx3-ubyte", {2, 28, 28},
            std::string(kPixels, '\xfe') + std::string(kPixels, '\xff'));
  write_idx(folder / "t10k-labels-idx1-ubyte", {2}, "\1\2");
}

}  // namespace frgan
