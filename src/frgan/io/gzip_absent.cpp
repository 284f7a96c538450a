#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/gzip.h"

namespace frgan {

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

std::string gunzip(std::string_view /*bytes*/, int64_t /*limit*/, std::string_view name) {
  throw Error(fmt::format("{}: cannot read gzip files: this build has no zlib; unpack the file with gunzip", name));
}

}  // namespace frgan
