#include "frgan/io/idx_file.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <string>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/gzip.h"

namespace frgan {
namespace {

constexpr int64_t kLimit = int64_t{1} << 31;  // bytes; four times EMNIST's largest file

// Fills its argument with the next bytes of the file. Returns their number, which is smaller only at the end.
using Source = std::function<size_t(std::span<uint8_t>)>;

// Layout: the bytes 0, 0, type, rank; one big-endian 32-bit size per dimension; the values. The memory for the values
// is allocated only after the header has shown their number. A file with more than `most` values is rejected before.
IdxArray read_array(const Source& read, int64_t most, std::string_view name) {
  constexpr uint8_t kTypeUint8 = 8;
  std::array<uint8_t, 4> start{};
  if (read(start) < start.size() || start[0] != 0 || start[1] != 0)
    throw Error(
        fmt::format("{}: not an idx file: it does not begin with two zero bytes; is this the right file?", name));
  if (start[2] != kTypeUint8)
    throw Error(fmt::format("{}: unsupported idx type 0x{:02x}; must be 0x08 (uint8)", name, start[2]));
  std::vector<uint8_t> sizes(size_t{4} * start[3]);
  const size_t found = read(sizes);
  if (sizes.empty() || found < sizes.size())
    throw Error(fmt::format("{}: invalid idx header: {} bytes, {} dimensions; the file may be truncated", name,
                            start.size() + found, start[3]));

  IdxArray array;
  int64_t count = 1;
  bool too_large = false;
  for (size_t i = 0; i < sizes.size(); i += 4) {
    array.shape.push_back(int64_t{sizes[i]} << 24 | sizes[i + 1] << 16 | sizes[i + 2] << 8 | sizes[i + 3]);
    too_large = too_large || __builtin_mul_overflow(count, array.shape.back(), &count);
  }
  const auto refuse = [&](std::string_view values) {
    throw Error(
        fmt::format("{}: has {} values, but the header declares {}; the file may be truncated; download it again", name,
                    values, fmt::join(array.shape, " x ")));
  };
  if (too_large || count > most) refuse(fmt::format("at most {}", most));
  if (count > kLimit)
    throw Error(fmt::format("{}: too large: {} values; at most {} are allowed; is this the right file?", name,
                            fmt::join(array.shape, " x "), kLimit));
  array.values.resize(static_cast<size_t>(count));
  const size_t values = read(array.values);
  if (values < array.values.size()) refuse(fmt::to_string(values));
  return array;
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path) {
  return parse_idx(read_file(path, kLimit), path.string());
}

IdxArray parse_idx(std::string_view bytes, std::string_view name) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (is_gzip(bytes)) {
    GzipReader gzip(bytes, name);
    IdxArray array = read_array([&](std::span<uint8_t> piece) { return gzip.read(piece); }, size * kDeflateRatio, name);
    gzip.finish();
    return array;
  }
  const auto read = [&](std::span<uint8_t> piece) {
    const size_t count = std::min(piece.size(), bytes.size());
    std::copy_n(bytes.begin(), count, piece.begin());
    bytes.remove_prefix(count);
    return count;
  };
  IdxArray array = read_array(read, size, name);
  if (!bytes.empty())
    throw Error(fmt::format("{}: found {} after the {} values that the header declares; download it again", name,
                            counted(std::ssize(bytes), "byte"), fmt::join(array.shape, " x ")));
  return array;
}

}  // namespace frgan
