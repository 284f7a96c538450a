#include "frgan/core/error.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace frgan {
namespace {

struct CodePoint {
  uint32_t value = 0;
  size_t bytes = 0;  // 0: not UTF-8
};

// The first code point of a text that is not empty.
CodePoint first_code_point(std::string_view text) {
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};  // by the number of bytes
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc0 || lead >= 0xf8 || text.size() < bytes) return {};
  uint32_t value = lead & (0xffU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80) return {};
    value = value << 6 | (next & 0x3fU);
  }
  const bool valid = value >= kLeast[bytes] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  return valid ? CodePoint{value, bytes} : CodePoint{};
}

// C0, DEL and C1. Some terminals take U+009B for the beginning of an escape sequence.
bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

}  // namespace

std::string one_line(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  while (!text.empty()) {
    const CodePoint first = first_code_point(text);
    if (first.bytes > 0 && !is_control(first.value)) {
      line += text.substr(0, first.bytes);
      text.remove_prefix(first.bytes);
      continue;
    }
    const auto code = static_cast<unsigned char>(first.bytes > 0 ? first.value : text.front());
    if (code == '\n') {
      line += "\\n";
    } else {
      line += {'\\', 'x', kHex[code / 16], kHex[code % 16]};
    }
    text.remove_prefix(first.bytes > 0 ? first.bytes : 1);
  }
  return line;
}

std::string counted(int64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + ' ';
  text += noun;
  if (count != 1) text += 's';
  return text;
}

}  // namespace frgan
