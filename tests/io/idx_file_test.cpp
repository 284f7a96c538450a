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
// The same by Python: gzip.compress(small, mtime=0).
const std::string kSmallPacked(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x63\x60\xe0\x60\x62\x60\x60\x00\x61\x66\x46\x26\x66\x16\xd6\xff\x00\xf0"
    "\xde\x5f\x21\x12\x00\x00\x00",
    35);

std::string refusal(std::string_view bytes) {
  return error_of([&] { parse_idx(bytes, "x"); });
}

TEST(IdxFile, PlainOrGzipped) {
  const TemporaryFolder folder;
  for (const std::string& bytes : {kSmall, kSmallPacked}) {
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

TEST(IdxFile, CutFilesAreRefused) {
  for (size_t size = 0; size < kSmall.size(); ++size) EXPECT_THAT(refusal(kSmall.substr(0, size)), StartsWith("x: "));
  EXPECT_THAT(refusal(kSmall.substr(0, 17)), HasSubstr("has 5 numbers, but its header says 2 x 3; was it cut short?"));
  EXPECT_THAT(refusal(kSmall + "x"), HasSubstr("has 7 numbers, but its header says 2 x 3"));
  for (size_t size = 2; size < kSmallPacked.size(); ++size)
    EXPECT_THAT(refusal(kSmallPacked.substr(0, size)), HasSubstr("x: the gzipped file was cut short"));
  EXPECT_THAT(refusal(kSmallPacked + "x"), HasSubstr("1 bytes follow the gzipped data"));
}

TEST(IdxFile, AlteredGzippedFilesAreRefused) {
  for (size_t place = 10; place < kSmallPacked.size(); ++place) {
    std::string altered = kSmallPacked;
    altered[place] = static_cast<char>(altered[place] ^ 0x10);
    EXPECT_THAT(refusal(altered), StartsWith("x: ")) << place;
  }
}

TEST(IdxFile, OtherFilesAreRefused) {
  EXPECT_THAT(error_of([] { read_idx("none"); }), HasSubstr("none: cannot read: No such file"));
  EXPECT_THAT(refusal("PK\3\4"), HasSubstr("x: is no idx file: it does not begin with two zero bytes"));
  EXPECT_THAT(refusal(std::string("\0\0\xd\1\0\0\0\1\0\0\0\0", 12)),
              HasSubstr("holds numbers of idx type 0x0d, expected 0x08 (uint8)"));
  EXPECT_THAT(refusal(std::string("\0\0\x8\0", 4)), HasSubstr("has 4 bytes and 0 dimensions"));
  EXPECT_THAT(refusal(std::string("\0\0\x8\xff", 4)), HasSubstr("has 4 bytes and 255 dimensions"));
  EXPECT_THAT(refusal(std::string("\0\0\x8\3", 4) + std::string(12, '\xff')),
              HasSubstr("has 0 numbers, but its header says 4294967295 x 4294967295 x 4294967295"));
}

TEST(Gzip, LimitsAreKept) {
  EXPECT_EQ(gunzip(kSmallPacked, 18, "x"), kSmall);
  EXPECT_THAT(error_of([] { gunzip(kSmallPacked, 17, "x"); }), HasSubstr("x: unpacks to more than 17 bytes"));
  EXPECT_THAT(error_of([] { gunzip(kSmallPacked, 0, "x"); }), HasSubstr("more than 0 bytes"));
  EXPECT_THAT(error_of([] { gunzip(kSmall, 100, "x"); }), HasSubstr("was altered"));
  EXPECT_TRUE(is_gzip(kSmallPacked));
  EXPECT_FALSE(is_gzip(kSmall));
}

}  // namespace
}  // namespace frgan
