// Bytes that were compressed by gzip.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace frgan {

// Whether the bytes begin as a gzip file does.
bool is_gzip(std::string_view bytes);

// What was compressed. Throws an Error that names the file (`name`) when it is cut short or altered (CRC-32), or would
// give more than `limit` bytes.
std::string gunzip(std::string_view bytes, int64_t limit, std::string_view name);

}  // namespace frgan
