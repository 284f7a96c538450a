#include "frgan/io/csv.h"

#include <gtest/gtest.h>

namespace frgan {
namespace {

TEST(CsvField, IsQuotedIfNeeded) {
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a cat's"), "a cat's");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"a\""), "\"say \"\"a\"\"\"");
  EXPECT_EQ(csv_field("a\nb"), "\"a\nb\"");
}

TEST(CsvText, IsNeitherControlNorFormula) {
  EXPECT_EQ(csv_text("cat"), "cat");
  EXPECT_EQ(csv_text("a\nb\x1b"), "a\\nb\\x1b");
  EXPECT_EQ(csv_text("=cmd()"), "'=cmd()");
  EXPECT_EQ(csv_text("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
  EXPECT_EQ(csv_text("-1+2"), "'-1+2");
  for (const char* number : {"-1.5", "+3", "-2e-05", "0"}) EXPECT_EQ(csv_text(number), number);
}

}  // namespace
}  // namespace frgan
