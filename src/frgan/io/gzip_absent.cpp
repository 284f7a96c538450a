#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/gzip.h"

namespace frgan {

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

struct GzipReader::Stream {};

GzipReader::GzipReader(std::string_view /*bytes*/, std::string_view name) : name_(name) {
  throw Error(fmt::format("{}: cannot read gzip files: this build has no zlib; unpack the file with gunzip", name));
}

GzipReader::~GzipReader() = default;

size_t GzipReader::read(std::span<uint8_t> /*piece*/) {
  return 0;
}

void GzipReader::finish() {}

}  // namespace frgan
