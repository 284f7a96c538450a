#include "frgan/io/crc32c.h"

#include <array>

namespace frgan {

uint32_t crc32c(std::span<const std::byte> bytes) {
  static constexpr std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < table.size(); ++i) {
      uint32_t rest = i;
      for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1 ? 0x82f63b78U : 0);
      table[i] = rest;
    }
    return table;
  }();
  uint32_t rest = ~0U;
  for (const std::byte byte : bytes) rest = rest >> 8 ^ kTable[(rest ^ std::to_integer<uint32_t>(byte)) & 0xff];
  return ~rest;
}

}  // namespace frgan
