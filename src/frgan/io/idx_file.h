// The idx format of MNIST, Fashion-MNIST, KMNIST and EMNIST: uint8 arrays, optionally gzipped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace frgan {

struct IdxArray {
  std::vector<int64_t> shape;   // {N} for labels, {N, rows, columns} for images
  std::vector<uint8_t> values;  // product(shape) values, row-major
};

// Reads a file. Throws an Error that names the file if it is missing, is no idx file or is not of type uint8, or if its
// size differs from its header. If it is gzipped, the gzip checksum is verified too. Safe for untrusted files: memory
// is allocated for the size in the header, at most 2 GiB, and only if a file of this size can hold as many values.
IdxArray read_idx(const std::filesystem::path& path);
// The same from the bytes of a file; `name` is its name in messages.
IdxArray parse_idx(std::string_view bytes, std::string_view name);

}  // namespace frgan
