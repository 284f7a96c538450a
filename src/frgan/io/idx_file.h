// The idx format of MNIST and its kin (Fashion-MNIST, KMNIST, EMNIST): arrays of uint8, gzipped or not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace frgan {

struct IdxArray {
  std::vector<int64_t> shape;   // {N} for labels, {N, rows, columns} for images
  std::vector<uint8_t> values;  // row-major, product(shape) of them
};

// Throws an Error that names the file and what is wrong when it is missing, cut short, longer than it says, altered (by
// the checksum of gzip, where it is gzipped), no idx file, or holds other numbers than uint8.
IdxArray read_idx(const std::filesystem::path& path);
// The same from the bytes of a file; `name` stands for it in messages.
IdxArray parse_idx(std::string_view bytes, std::string_view name);

}  // namespace frgan
