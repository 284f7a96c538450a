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

}  // namespace
}  // namespace frgan
