#include "frgan/core/error.h"

#include <gtest/gtest.h>

namespace frgan {
namespace {

TEST(ErrorTest, EscapesControlCharacters) {
  EXPECT_STREQ(Error("no such file: a b.png").what(), "no such file: a b.png");
  EXPECT_STREQ(Error("a\nb\r\x1b[1mc\x7f").what(), R"(a\nb\x0d\x1b[1mc\x7f)");
  EXPECT_STREQ(Error("Größe 数 🦀").what(), "Größe 数 🦀");
  EXPECT_STREQ(Error("\xc2\x9b[1m").what(), R"(\x9b[1m)") << "U+009B begins an escape sequence on some terminals";
  EXPECT_STREQ(Error("\xff \xe2\x82 \xc0\xaf \xed\xa0\x80").what(), R"(\xff \xe2\x82 \xc0\xaf \xed\xa0\x80)")
      << "not UTF-8";
  EXPECT_EQ(usage_error("a\nb").kind(), ErrorKind::kUsage);
}

TEST(ErrorTest, CountedNounsHaveAPlural) {
  EXPECT_EQ(counted(0, "byte"), "0 bytes");
  EXPECT_EQ(counted(1, "byte"), "1 byte");
  EXPECT_EQ(counted(2, "damaged line"), "2 damaged lines");
}

}  // namespace
}  // namespace frgan
