// Decompression of gzip data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace frgan {

// Whether the bytes begin with the signature of a gzip file.
bool is_gzip(std::string_view bytes);

// The decompressed bytes. Throws an Error that starts with the file's `name` if the data is truncated or corrupt
// (CRC-32), or decompresses to more than `limit` bytes.
std::string gunzip(std::string_view bytes, int64_t limit, std::string_view name);

}  // namespace frgan
