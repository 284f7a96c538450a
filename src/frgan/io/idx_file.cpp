#include "frgan/io/idx_file.h"

#include <string>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/gzip.h"

namespace frgan {
namespace {

constexpr int64_t kLimit = int64_t{1} << 31;  // bytes; four times EMNIST's largest file

}  // namespace

IdxArray read_idx(const std::filesystem::path& path) {
  return parse_idx(read_file(path, kLimit), path.string());
}

// Layout: the bytes 0, 0, type, rank; one big-endian 32-bit size per dimension; the values.
IdxArray parse_idx(std::string_view bytes, std::string_view name) {
  std::string unpacked;
  if (is_gzip(bytes)) bytes = unpacked = gunzip(bytes, kLimit, name);

  constexpr uint8_t kTypeUint8 = 8;
  const auto byte = [&](size_t place) { return static_cast<uint8_t>(bytes[place]); };
  if (bytes.size() < 4 || byte(0) != 0 || byte(1) != 0)
    throw Error(
        fmt::format("{}: not an idx file: it does not begin with two zero bytes; is this the right file?", name));
  if (byte(2) != kTypeUint8)
    throw Error(fmt::format("{}: unsupported idx type 0x{:02x}; must be 0x08 (uint8)", name, byte(2)));
  const size_t rank = byte(3);
  const size_t header = 4 + 4 * rank;
  if (rank == 0 || bytes.size() < header)
    throw Error(fmt::format("{}: invalid idx header: {} bytes, {} dimensions; the file may be truncated", name,
                            bytes.size(), rank));

  IdxArray array;
  int64_t count = 1;
  bool too_large = false;
  for (size_t place = 4; place < header; place += 4) {
    array.shape.push_back(int64_t{byte(place)} << 24 | byte(place + 1) << 16 | byte(place + 2) << 8 | byte(place + 3));
    too_large = too_large || __builtin_mul_overflow(count, array.shape.back(), &count);
  }
  bytes.remove_prefix(header);
  if (too_large || count != static_cast<int64_t>(bytes.size()))
    throw Error(
        fmt::format("{}: has {} values, but the header declares {}; the file may be truncated; download it again", name,
                    bytes.size(), fmt::join(array.shape, " x ")));
  array.values.assign(bytes.begin(), bytes.end());
  return array;
}

}  // namespace frgan
