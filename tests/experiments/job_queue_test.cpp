#include "frgan/experiments/job_queue.h"

#include <algorithm>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

// Jobs are calls of the program that runs them: here of this one, with one of these.
TEST(JobQueue, DISABLED_Fails) {
  FAIL() << "as it should";
}
TEST(JobQueue, DISABLED_Crashes) {
  raise(SIGKILL);
}
TEST(JobQueue, DISABLED_Works) {}
TEST(JobQueue, DISABLED_Waits) {
  sleep(600);
}

Job job(const TemporaryFolder& folder, const std::string& what) {
  return {what,
          {"--gtest_also_run_disabled_tests", "--gtest_brief=1", "--gtest_filter=JobQueue.DISABLED_" + what},
          folder.path() / "logs" / (what + ".log")};
}

void nothing(const std::vector<size_t>& /*running*/) {}

TEST(JobQueue, GoesOnAfterAJobThatFailsOrCrashes) {
  const TemporaryFolder folder;
  const std::vector<Job> jobs = {job(folder, "Fails"), job(folder, "Crashes"), job(folder, "Works")};
  const std::atomic<int> stop = 0;
  std::vector<int> codes(jobs.size(), -1);
  run_jobs(
      jobs, 2, [&](const JobEnd& end) { codes[end.job] = end.code; }, nothing, stop);
  EXPECT_THAT(codes, testing::ElementsAre(1, 128 + SIGKILL, 0));
  EXPECT_THAT(read_file(jobs[0].log), testing::HasSubstr("as it should"));
}

TEST(JobQueue, RunsNoMoreAtOnceThanAsked) {
  const TemporaryFolder folder;
  const std::vector<Job> jobs(5, job(folder, "Works"));
  const std::atomic<int> stop = 0;
  size_t ends = 0, most = 0;
  run_jobs(
      jobs, 2, [&](const JobEnd&) { ++ends; },
      [&](const std::vector<size_t>& running) { most = std::max(most, running.size()); }, stop);
  EXPECT_EQ(ends, 5u);
  EXPECT_LE(most, 2u);
}

TEST(JobQueue, EndsItsJobsWhenItIsStopped) {
  const TemporaryFolder folder;
  const std::vector<Job> jobs(3, job(folder, "Waits"));
  std::atomic<int> stop = 0;
  std::vector<int> codes;
  run_jobs(
      jobs, 2, [&](const JobEnd& end) { codes.push_back(end.code); },
      [&](const std::vector<size_t>& /*running*/) { stop = SIGINT; }, stop);
  EXPECT_THAT(codes, testing::ElementsAre(128 + SIGTERM, 128 + SIGTERM)) << "the third never starts";
}

TEST(JobQueue, LastLineSkipsEmptyOnes) {
  const TemporaryFolder folder;
  write_file_safely(folder.path() / "log", "one\ntwo\x1b[1m\r\n\n");
  EXPECT_THAT(last_line(folder.path() / "log"), testing::StartsWith("two"));
  EXPECT_EQ(last_line(folder.path() / "absent"), "");
}

}  // namespace
}  // namespace frgan
