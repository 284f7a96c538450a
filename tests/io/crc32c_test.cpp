#include "frgan/io/crc32c.h"

#include <gtest/gtest.h>

#include "frgan/io/files.h"

namespace frgan {
namespace {

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c({}), 0U);
}

}  // namespace
}  // namespace frgan
