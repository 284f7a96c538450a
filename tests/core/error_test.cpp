#include "frgan/core/error.h"

#include <gtest/gtest.h>

namespace frgan {
namespace {

TEST(ErrorTest, EscapesControlCharacters) {
  EXPECT_STREQ(Error("no such file: a b.png").what(), "no such file: a b.png");
  EXPECT_STREQ(Error("a\nb\r\x1b[1mc\x7f").what(), R"(a\nb\x0d\x1b[1mc\x7f)");
  EXPECT_STREQ(Error("Größe").what(), "Größe");
  EXPECT_EQ(usage_error("a\nb").kind(), ErrorKind::kUsage);
}

}  // namespace
}  // namespace frgan
