#include "frgan/io/folder_lock.h"

#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

TEST(FolderLock, RefusesASecondOwnerAndNamesTheFirst) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    EXPECT_THAT(error_of([&] { FolderLock second(folder.path()); }),
                HasSubstr(fmt::format("process {} on host ", ::getpid())));
    EXPECT_THAT(error_of([&] { check_not_locked(folder.path()); }),
                HasSubstr(fmt::format("process {} on host ", ::getpid())));
  }
  check_not_locked(folder.path());
  const FolderLock again(folder.path());
}

TEST(FolderLock, IsNotMadeByACheck) {
  const TemporaryFolder folder;
  check_not_locked(folder.path());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(FolderLock, EndsWithItsProcess) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(error_of([&] { FolderLock lock(folder.path()); }), HasSubstr(fmt::format("process {} on host ", child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const FolderLock lock(folder.path());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(FolderLock, IsInheritedByAChildThatOutlivesItsParentIfAsked) {
  for (const bool inherited : {false, true}) {
    const TemporaryFolder folder;
    pid_t child = 0;
    {
      const FolderLock lock(folder.path(), {.inherited = inherited});
      child = ::fork();
      if (child == 0) {
        ::execl("/bin/sleep", "sleep", "60", nullptr);
        ::_exit(1);
      }
      const auto runs_sleep = [&] {
        return std::filesystem::read_symlink(fmt::format("/proc/{}/exe", child)) !=
               std::filesystem::read_symlink("/proc/self/exe");
      };
      while (!runs_sleep()) ::usleep(1000);
    }
    if (inherited) {
      EXPECT_THAT(error_of([&] { FolderLock lock(folder.path()); }), HasSubstr("trains in this folder"));
    } else {
      const FolderLock lock(folder.path());
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const FolderLock lock(folder.path());
  }
}

TEST(FolderLock, DoesNotFollowALink) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", std::string_view("old"));
  std::filesystem::create_symlink(folder / "file", folder / "lock");
  EXPECT_THAT(error_of([&] { FolderLock lock(folder.path()); }), HasSubstr("the path is a link"));
  EXPECT_EQ(read_file(folder / "file"), "old");
}

}  // namespace
}  // namespace frgan
