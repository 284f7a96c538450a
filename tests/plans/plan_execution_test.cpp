#include "frgan/plans/plan_execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"
#include "frgan/io/folder_lock.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void execute_nothing(const PlanExecution& execution) {
  const std::atomic<int> stop_signal = 0;
  execute(
      execution, {}, [](const std::string&) {}, [](const std::string&) {}, stop_signal);
}

TEST(PlanExecution, FixesTheThreadsOfConcurrentRunsOnly) {
  const TemporaryFolder folder;
  PlanExecution execution{.runs = folder.path(), .records = folder / "records", .threads = 4, .device = "cpu"};
  PlannedRun run;
  run.name = "a";
  run.arguments = {"--preset=gan", "--steps=6"};
  const std::string path = (folder / "a").string();
  EXPECT_THAT(execution.arguments_of(run),
              ElementsAre("train", "--preset=gan", "--steps=6", "--run=" + path, "--threads=0", "--device=cpu"));
  execution.jobs = 2;
  EXPECT_THAT(execution.arguments_of(run),
              ElementsAre("train", "--preset=gan", "--steps=6", "--run=" + path, "--threads=4", "--device=cpu"));
  std::filesystem::create_directories(folder / "a/checkpoints/step-00000003");
  EXPECT_THAT(execution.arguments_of(run), ElementsAre("train", "--resume=" + path, "--threads=4", "--device=cpu"));
  execution.jobs = 1;
  EXPECT_THAT(execution.arguments_of(run), ElementsAre("train", "--resume=" + path, "--threads=0", "--device=cpu"));
}

TEST(PlanExecution, LocksTheFolderOfTheRuns) {
  const TemporaryFolder folder;
  const PlanExecution execution{.runs = folder / "runs", .records = folder / "records"};
  execute_nothing(execution);
  const FolderLock other(execution.runs, {.file = ".lock"});
  EXPECT_THAT(error_of([&] { execute_nothing(execution); }), HasSubstr(" started runs in this folder; wait until "));
}

TEST(PlanExecution, DoesNotFollowALinkToALockFile) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", std::string_view("old"));
  std::filesystem::create_symlink(folder / "file", folder / ".lock");
  const PlanExecution execution{.runs = folder.path(), .records = folder / "records"};
  EXPECT_THAT(error_of([&] { execute_nothing(execution); }), HasSubstr("the path is a link"));
  EXPECT_EQ(read_file(folder / "file"), "old");
}

}  // namespace
}  // namespace frgan
