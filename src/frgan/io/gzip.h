// Decompression of gzip data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace frgan {

// The limit of deflate: decompressed bytes per compressed byte.
inline constexpr int64_t kDeflateRatio = 1032;

// Whether the bytes begin with the signature of a gzip file.
bool is_gzip(std::string_view bytes);

// Decompresses gzip data in pieces, so that the caller can limit the memory. Its functions throw an Error that starts
// with the file's `name` if the data is truncated or corrupt.
class GzipReader {
 public:
  // `bytes` must outlive this object.
  GzipReader(std::string_view bytes, std::string_view name);
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  ~GzipReader();

  // Fills `piece` with the next decompressed bytes. Returns their number, which is smaller only at the end of the data.
  size_t read(std::span<uint8_t> piece);
  // Verifies that the data ends here, and its checksum (CRC-32). Throws an Error if more bytes follow.
  void finish();

 private:
  struct Stream;
  std::string name_;
  std::unique_ptr<Stream> stream_;
  bool ended_ = false;
};

}  // namespace frgan
