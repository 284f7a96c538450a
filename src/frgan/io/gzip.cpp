#include "frgan/io/gzip.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <zlib.h>

#include "frgan/core/error.h"

namespace frgan {

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

struct GzipReader::Stream : z_stream {
  Stream() : z_stream{} {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { inflateEnd(this); }
};

GzipReader::GzipReader(std::string_view bytes, std::string_view name)
    : name_(name), stream_(std::make_unique<Stream>()) {
  constexpr int kGzipOnly = 15 + 16;  // windowBits of zlib: largest window, gzip header and trailer
  if (bytes.size() > std::numeric_limits<uInt>::max())
    throw Error(
        fmt::format("{}: too large: {} bytes; must be below 4 GiB; is this the right file?", name, bytes.size()));
  // zlib does not write to its input, but its type is const only if ZLIB_CONST is defined.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream_->avail_in = static_cast<uInt>(bytes.size());
  if (inflateInit2(stream_.get(), kGzipOnly) != Z_OK) throw Error(fmt::format("{}: cannot initialize zlib", name));
}

GzipReader::~GzipReader() = default;

size_t GzipReader::read(std::span<uint8_t> piece) {
  size_t done = 0;
  while (done < piece.size() && !ended_) {
    const auto room = static_cast<uInt>(std::min(piece.size() - done, size_t{1} << 30));
    stream_->next_out = piece.data() + done;
    stream_->avail_out = room;
    const int status = inflate(stream_.get(), Z_NO_FLUSH);
    done += room - stream_->avail_out;
    ended_ = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR || (status == Z_OK && stream_->avail_in == 0 && stream_->avail_out > 0))
      throw Error(fmt::format("{}: truncated gzip file; download it again", name_));
    if (status != Z_OK && !ended_)
      throw Error(fmt::format("{}: corrupt gzip file ({}); download it again", name_,
                              stream_->msg != nullptr ? stream_->msg : "no data"));
  }
  return done;
}

void GzipReader::finish() {
  uint8_t extra = 0;
  if (read({&extra, 1}) > 0)
    throw Error(fmt::format("{}: decompresses to more bytes than it declares; download it again", name_));
  if (stream_->avail_in > 0)
    throw Error(
        fmt::format("{}: found {} after the gzip data; download it again", name_, counted(stream_->avail_in, "byte")));
}

}  // namespace frgan
