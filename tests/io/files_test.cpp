#include "frgan/io/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_size_limit.h"
#include "frgan/io/digests.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Files, WriteAndReadRoundTrip) {
  const TemporaryFolder folder;
  const std::string text("a\0b\n", 4);
  write_file_safely(folder / "file", text);
  EXPECT_EQ(read_file(folder / "file"), text);
  write_file_safely(folder / "file", std::string_view());
  EXPECT_EQ(read_file(folder / "file"), "");
  EXPECT_EQ(folder.count(), 1);
}

TEST(Files, PartialFileOfAnEndedProcessIsUnfinished) {
  constexpr int kNoProcess = 1 << 30;  // process IDs are far smaller
  const TemporaryFolder folder;
  const auto name_of = [&](const std::string& name) {
    write_file_safely(folder / name, std::string_view("{"));
    return name_of_unfinished(folder / name);
  };
  EXPECT_EQ(name_of(fmt::format("labels.json.partial-{}", kNoProcess)), "labels.json");
  EXPECT_EQ(name_of(fmt::format("labels.json.partial-{}.1", kNoProcess)), "labels.json");
  EXPECT_EQ(name_of(fmt::format("labels.json.partial-{}", ::getpid())), "");  // still running
  for (const char* other : {".", ".x", "x", ".1.1"}) {
    EXPECT_EQ(name_of(fmt::format("labels.json.partial-{}{}", kNoProcess, other)), "") << other;
  }
  for (const char* name : {"labels.json", "a.partial", "a.partial-", "a.partial--7", "a.partial-.1", "partial-4711"}) {
    EXPECT_EQ(name_of(name), "") << name;
  }
  const std::filesystem::path path = folder / fmt::format("labels.json.partial-{}", kNoProcess - 1);
  std::filesystem::create_directory(path);
  EXPECT_EQ(name_of_unfinished(path), "");
}

TEST(Files, WithoutCommitTheOldFileIsKept) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", std::string_view("old"));
  {
    SafeFile file(folder / "file");
    file.write(bytes_of("new"));
    SafeFile other(folder / "file");  // two writers use different partial files
    other.write(bytes_of("other"));
    EXPECT_EQ(folder.count(), 3);
  }
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_EQ(folder.count(), 1);
}

TEST(Files, FullDiskLeavesNoFile) {
  const TemporaryFolder folder;
  const FileSizeLimit limit(1000);
  const std::string message = error_of([&] { write_file_safely(folder / "file", std::string(1001, 'x')); });
  EXPECT_THAT(message, StartsWith((folder / "file").string() + ": cannot write: File too large; "));
  EXPECT_EQ(folder.count(), 0);
  write_file_safely(folder / "file", std::string(1000, 'x'));
}

TEST(Files, ReportsUnwritablePaths) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", std::string_view("x"));
  EXPECT_THAT(error_of([&] { write_file_safely(folder.path() / "file" / "below", std::string_view("x")); }),
              HasSubstr("cannot write: Not a directory; the path contains a file where a folder is needed"));
  EXPECT_THAT(error_of([&] { write_file_safely(folder.path() / "no" / "file", std::string_view("x")); }),
              HasSubstr("cannot write: No such file or directory; check the path"));
  EXPECT_THAT(error_of([&] { write_file_safely(folder.path(), std::string_view("x")); }),
              HasSubstr("is not a regular file"));
  EXPECT_THAT(error_of([&] { ensure_directory(folder.path() / "file" / "below"); }),
              HasSubstr("file: cannot create the folder: File exists"));
  EXPECT_THAT(error_of([&] { ensure_directory(folder / "file"); }), HasSubstr("cannot create the folder"));
}

TEST(Files, DoesNotReplaceADevice) {
  EXPECT_THAT(error_of([&] { write_file_safely("/dev/null", std::string_view("x")); }),
              HasSubstr("is not a regular file"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(Files, DoesNotWriteThroughALink) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", std::string_view("old"));
  std::filesystem::create_symlink(folder / "file", folder / "link");
  std::filesystem::create_symlink(folder / "nowhere", folder / "dangling");
  for (const char* link : {"link", "dangling"}) {
    EXPECT_THAT(error_of([&] { write_file_safely(folder / link, std::string_view("new")); }),
                HasSubstr("cannot write: exists and is a link"));
    EXPECT_THAT(error_of([&] { GrowingFile file(folder / link); }), HasSubstr("the path is a link"));
  }
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_EQ(folder.count(), 3);
}

TEST(Files, ReportsUnreadablePaths) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { read_file(folder / "none"); }),
              HasSubstr("none: cannot read: No such file or directory; check the path"));
  EXPECT_THAT(error_of([&] { read_file(folder.path()); }), HasSubstr("is a folder; expected a regular file"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { read_file(folder / "pipe"); }),
              HasSubstr("is a device, pipe or socket; expected a regular file"));
  write_file_safely(folder / "file", std::string_view("12345"));
  EXPECT_EQ(read_file(folder / "file", 5), "12345");
  EXPECT_THAT(error_of([&] { read_file(folder / "file", 4); }), HasSubstr("too large: 5 bytes; at most 4 are allowed"));
}

TEST(Files, EnsureDirectoryCreatesParents) {
  const TemporaryFolder folder;
  ensure_directory(folder.path() / "a" / "b");
  ensure_directory(folder.path() / "a" / "b");
  EXPECT_TRUE(std::filesystem::is_directory(folder.path() / "a" / "b"));
}

TEST(Files, ListsFilesWithAnExtensionInOrder) {
  const TemporaryFolder folder;
  for (const char* name : {"b.json", "a.json", "c.txt"}) write_file_safely(folder / name, std::string_view("x"));
  EXPECT_THAT(files_in(folder.path(), ".json"), testing::ElementsAre(folder / "a.json", folder / "b.json"));
  EXPECT_TRUE(files_in(folder / "absent", ".json").empty());
}

TEST(Files, ReportsUnexpectedEndOfFile) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", std::string_view("12345"));
  InputFile file(folder / "file");
  EXPECT_EQ(file.size(), 5);
  std::string text(3, ' ');
  file.read(std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "123");
  EXPECT_THAT(error_of([&] { file.read(std::as_writable_bytes(std::span(text))); }),
              HasSubstr("unexpected end of file"));
}

}  // namespace
}  // namespace frgan
