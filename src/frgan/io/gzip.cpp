#include "frgan/io/gzip.h"

#include <algorithm>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

#include "frgan/core/error.h"

namespace frgan {

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

std::string gunzip(std::string_view bytes, int64_t limit, std::string_view name) {
  constexpr int kGzipOnly = 15 + 16;  // windowBits of zlib: largest window, gzip header and trailer
  const size_t first_guess = std::min<size_t>(1 << 16, static_cast<size_t>(limit) + 1);
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw Error(fmt::format("{}: cannot initialize zlib", name));
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, &inflateEnd);
  if (bytes.size() > std::numeric_limits<uInt>::max())
    throw Error(
        fmt::format("{}: too large: {} bytes; must be below 4 GiB; is this the right file?", name, bytes.size()));
  // zlib does not write to its input, but its type is const only if ZLIB_CONST is defined.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());

  std::string result;
  size_t done = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (done == result.size()) result.resize(std::clamp(done * 2, first_guess, static_cast<size_t>(limit) + 1));
    const auto room = static_cast<uInt>(std::min(result.size() - done, size_t{1} << 30));
    stream.next_out = reinterpret_cast<Bytef*>(result.data() + done);
    stream.avail_out = room;
    status = inflate(&stream, Z_NO_FLUSH);
    done += room - stream.avail_out;
    if (done > static_cast<size_t>(limit))
      throw Error(fmt::format("{}: decompresses to more than {} bytes; is this the right file?", name, limit));
    if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0))
      throw Error(fmt::format("{}: truncated gzip file; download it again", name));
    if (status != Z_OK && status != Z_STREAM_END)
      throw Error(fmt::format("{}: corrupt gzip file ({}); download it again", name,
                              stream.msg != nullptr ? stream.msg : "no data"));
  }
  if (stream.avail_in > 0)
    throw Error(fmt::format("{}: {} bytes follow the gzip data; download it again", name, stream.avail_in));
  result.resize(done);
  return result;
}

}  // namespace frgan
