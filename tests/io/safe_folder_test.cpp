#include "frgan/io/safe_folder.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& target, const fs::path& partial, const std::string& text) {
  write_folder_safely(target, partial, [&](const fs::path& folder) {
    write_file_safely(folder / "a", text);
    if (text == "bad") throw Error("bad");
  });
}

TEST(SafeFolder, AppearsComplete) {
  const TemporaryFolder folder;
  const fs::path target = folder / "new" / "target", partial = folder / "new" / "target.partial";
  write(target, partial, "one");
  EXPECT_EQ(read_file(target / "a"), "one");
  EXPECT_FALSE(fs::exists(partial));
}

TEST(SafeFolder, ReplacesAnOlderFolder) {
  const TemporaryFolder folder;
  write(folder / "target", folder / "partial", "one");
  write_file_safely(folder / "target" / "b", "older");
  write(folder / "target", folder / "partial", "two");
  EXPECT_EQ(read_file(folder / "target" / "a"), "two");
  EXPECT_FALSE(fs::exists(folder / "target" / "b"));
  EXPECT_EQ(folder.count(), 1);
}

TEST(SafeFolder, StaysUnchangedAfterAnError) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { write(folder / "target", folder / "partial", "bad"); }), "bad");
  EXPECT_EQ(folder.count(), 0);
  write(folder / "target", folder / "partial", "one");
  EXPECT_EQ(error_of([&] { write(folder / "target", folder / "partial", "bad"); }), "bad");
  EXPECT_EQ(read_file(folder / "target" / "a"), "one");
  EXPECT_EQ(folder.count(), 1);
}

TEST(SafeFolder, NamesTheFolderThatCannotBeWritten) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", "");
  EXPECT_THAT(error_of([&] { write(folder / "file", folder / "partial", "one"); }),
              ::testing::HasSubstr((folder / "file").string() + ": cannot write: Not a directory"));
  EXPECT_THAT(error_of([&] { write(folder / "file" / "x", folder / "file" / "partial", "one"); }),
              ::testing::HasSubstr((folder / "file").string()));
  EXPECT_EQ(folder.count(), 1);
}

}  // namespace
}  // namespace frgan
