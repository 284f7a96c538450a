#include "frgan/io/held_folder.h"

#include <gmock/gmock.h>

#include "temporary_folder.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(HeldFolder, FollowsARenamedFolder) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "a");
  HeldFolder held(folder / "a");
  EXPECT_FALSE(held.was_moved());
  fs::rename(folder / "a", folder / "b");
  EXPECT_TRUE(held.was_moved());
  EXPECT_EQ(held.path(), folder / "b");
  EXPECT_FALSE(held.was_moved());
}

TEST(HeldFolder, ReportsARemovedOrReplacedFolder) {
  const TemporaryFolder folder;
  for (const bool replaced : {false, true}) {
    fs::create_directory(folder / "a");
    HeldFolder held(folder / "a");
    fs::remove(folder / "a");
    if (replaced) fs::create_directory(folder / "a");
    EXPECT_THAT(error_of([&] { held.was_moved(); }), HasSubstr("a: the folder was removed or replaced"));
    fs::remove(folder / "a");
  }
  EXPECT_THAT(error_of([&] { HeldFolder held(folder / "a"); }), HasSubstr("cannot open the folder"));
}

}  // namespace
}  // namespace frgan
