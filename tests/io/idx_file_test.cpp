#include "frgan/io/idx_file.h"

#include <array>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <zlib.h>

#include "frgan/io/files.h"
#include "frgan/io/gzip.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kSmall("\0\0\x8\2\0\0\0\2\0\0\0\3\1\2\3\4\5\xff", 18);
// kSmall compressed by Python: gzip.compress(small, mtime=0).
const std::string kSmallGzipped(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x63\x60\xe0\x60\x62\x60\x60\x00\x61\x66\x46\x26\x66\x16\xd6\xff\x00\xf0"
    "\xde\x5f\x21\x12\x00\x00\x00",
    35);

std::string idx_refusal(std::string_view bytes) {
  return error_of([&] { parse_idx(bytes, "x"); });
}

TEST(IdxFile, ReadsPlainAndGzippedFiles) {
  const TemporaryFolder folder;
  for (const std::string& bytes : {kSmall, kSmallGzipped}) {
    write_file_safely(folder / "a", bytes);
    const IdxArray array = read_idx(folder / "a");
    EXPECT_THAT(array.shape, ElementsAre(2, 3));
    EXPECT_THAT(array.values, ElementsAre(1, 2, 3, 4, 5, 255));
  }
}

TEST(IdxFile, SizesAreBigEndian) {
  const std::string bytes = std::string("\0\0\x8\1\0\1\2\3", 8) + std::string(0x10203, 'x');
  EXPECT_THAT(parse_idx(bytes, "x").shape, ElementsAre(0x10203));
}

TEST(IdxFile, RejectsTruncatedFiles) {
  for (size_t size = 0; size < kSmall.size(); ++size)
    EXPECT_THAT(idx_refusal(kSmall.substr(0, size)), StartsWith("x: "));
  EXPECT_THAT(idx_refusal(kSmall.substr(0, 17)),
              HasSubstr("has 5 values, but the header declares 2 x 3; the file may be truncated"));
  EXPECT_THAT(idx_refusal(kSmall + "x"), HasSubstr("found 1 byte after the 2 x 3 values that the header declares"));
  for (size_t size = 2; size < kSmallGzipped.size(); ++size)
    EXPECT_THAT(idx_refusal(kSmallGzipped.substr(0, size)), HasSubstr("x: truncated gzip file"));
  EXPECT_THAT(idx_refusal(kSmallGzipped + "x"), HasSubstr("found 1 byte after the gzip data"));
}

TEST(IdxFile, RejectsCorruptGzippedFiles) {
  for (size_t place = 10; place < kSmallGzipped.size(); ++place) {
    std::string corrupt = kSmallGzipped;
    corrupt[place] = static_cast<char>(corrupt[place] ^ 0x10);
    EXPECT_THAT(idx_refusal(corrupt), StartsWith("x: ")) << place;
  }
}

TEST(IdxFile, RejectsOtherFiles) {
  EXPECT_THAT(error_of([] { read_idx("none"); }), HasSubstr("none: cannot read: No such file"));
  EXPECT_THAT(idx_refusal("PK\3\4"), HasSubstr("x: not an idx file: it does not begin with two zero bytes"));
  EXPECT_THAT(idx_refusal(std::string("\0\0\xd\1\0\0\0\1\0\0\0\0", 12)),
              HasSubstr("unsupported idx type 0x0d; must be 0x08 (uint8)"));
  EXPECT_THAT(idx_refusal(std::string("\0\0\x8\0", 4)), HasSubstr("invalid idx header: 4 bytes, 0 dimensions"));
  EXPECT_THAT(idx_refusal(std::string("\0\0\x8\xff", 4)), HasSubstr("invalid idx header: 4 bytes, 255 dimensions"));
  EXPECT_THAT(idx_refusal(std::string("\0\0\x8\3", 4) + std::string(12, '\xff')),
              HasSubstr("has at most 16 values, but the header declares 4294967295 x 4294967295 x 4294967295"));
}

// A gzip file of an idx header that declares two dimensions, `sizes`, followed by `count` zeros.
std::string gzipped_zeros(const std::string& sizes, int64_t count) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result(1 << 20, '\0');
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const auto add = [&](std::string bytes, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    return deflate(&stream, flush);
  };
  add(std::string("\0\0\x8\2", 4) + sizes, Z_NO_FLUSH);
  constexpr int64_t kBlock = 1 << 20;
  for (; count > kBlock; count -= kBlock) add(std::string(kBlock, '\0'), Z_NO_FLUSH);
  EXPECT_EQ(add(std::string(static_cast<size_t>(count), '\0'), Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

// The largest amount of memory that the process has used, in bytes.
int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

TEST(IdxFile, MemoryIsLimitedByTheDeclaredSize) {
  const std::string longer = gzipped_zeros(std::string("\0\0\0\2\0\0\0\3", 8), 100'000'000);
  const std::string shorter = gzipped_zeros("\x7f\xff\xff\xff\x7f\xff\xff\xff", 1000);
  const int64_t before = peak_memory();
  EXPECT_THAT(idx_refusal(longer), HasSubstr("x: decompresses to more bytes than it declares"));
  EXPECT_THAT(idx_refusal(shorter),
              HasSubstr(fmt::format("has at most {} values, but the header declares 2147483647 x 2147483647",
                                    1032 * shorter.size())));
  EXPECT_THAT(idx_refusal(std::string("\0\0\x8\2\0\xff\xff\xff\0\0\0\xff", 12)), HasSubstr("has at most 12 values"));
  EXPECT_LT(peak_memory() - before, 16'000'000);
}

TEST(Gzip, ReadsInPieces) {
  GzipReader gzip(kSmallGzipped, "x");
  std::array<uint8_t, 10> piece{};
  EXPECT_EQ(gzip.read(piece), 10U);
  EXPECT_EQ(piece[3], 2);
  EXPECT_THAT(error_of([&] { gzip.finish(); }), HasSubstr("x: decompresses to more bytes than it declares"));
  EXPECT_EQ(gzip.read(piece), 7U);  // one byte was read by `finish`
  gzip.finish();
  EXPECT_EQ(gzip.read(piece), 0U);
  EXPECT_THAT(error_of([&] { GzipReader(kSmall, "x").read(piece); }), HasSubstr("corrupt gzip file"));
  EXPECT_TRUE(is_gzip(kSmallGzipped));
  EXPECT_FALSE(is_gzip(kSmall));
}

}  // namespace
}  // namespace frgan
