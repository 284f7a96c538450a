#include "frgan/io/idx_file.h"

#include <gmock/gmock.h>

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
  EXPECT_THAT(idx_refusal(kSmall + "x"), HasSubstr("has 7 values, but the header declares 2 x 3"));
  for (size_t size = 2; size < kSmallGzipped.size(); ++size)
    EXPECT_THAT(idx_refusal(kSmallGzipped.substr(0, size)), HasSubstr("x: truncated gzip file"));
  EXPECT_THAT(idx_refusal(kSmallGzipped + "x"), HasSubstr("1 bytes follow the gzip data"));
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
              HasSubstr("has 0 values, but the header declares 4294967295 x 4294967295 x 4294967295"));
}

TEST(Gzip, EnforcesTheSizeLimit) {
  EXPECT_EQ(gunzip(kSmallGzipped, 18, "x"), kSmall);
  EXPECT_THAT(error_of([] { gunzip(kSmallGzipped, 17, "x"); }), HasSubstr("x: decompresses to more than 17 bytes"));
  EXPECT_THAT(error_of([] { gunzip(kSmallGzipped, 0, "x"); }), HasSubstr("more than 0 bytes"));
  EXPECT_THAT(error_of([] { gunzip(kSmall, 100, "x"); }), HasSubstr("corrupt gzip file"));
  EXPECT_TRUE(is_gzip(kSmallGzipped));
  EXPECT_FALSE(is_gzip(kSmall));
}

}  // namespace
}  // namespace frgan
