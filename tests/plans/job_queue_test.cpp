#include "frgan/plans/job_queue.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

Job job(const TemporaryFolder& folder, const std::string& name, const std::string& script) {
  return {name, {"-c", script}, folder.path() / "logs" / (name + ".log"), "/bin/sh"};
}

void ignore(const std::vector<size_t>& /*running*/) {}

TEST(JobQueue, ContinuesAfterFailureOrCrash) {
  const TemporaryFolder folder;
  const std::vector<Job> jobs = {job(folder, "fails", "echo expected failure; exit 3"),
                                 job(folder, "crashes", "kill -KILL $$"), job(folder, "works", "true")};
  const std::atomic<int> stop = 0;
  std::vector<int> codes(jobs.size(), -1);
  run_jobs(
      jobs, 2, [&](const JobEnd& end) { codes[end.job] = end.code; }, ignore, stop);
  EXPECT_THAT(codes, testing::ElementsAre(3, 128 + SIGKILL, 0));
  EXPECT_THAT(read_file(jobs[0].log), testing::HasSubstr("expected failure"));
}

TEST(JobQueue, LimitsConcurrentJobs) {
  const TemporaryFolder folder;
  const std::vector<Job> jobs(5, job(folder, "works", "sleep 0.3"));
  const std::atomic<int> stop = 0;
  size_t ends = 0, most = 0;
  run_jobs(
      jobs, 2, [&](const JobEnd&) { ++ends; },
      [&](const std::vector<size_t>& running) { most = std::max(most, running.size()); }, stop);
  EXPECT_EQ(ends, 5u);
  EXPECT_LE(most, 2u);
}

TEST(JobQueue, StopSignalTerminatesJobs) {
  const TemporaryFolder folder;
  const std::vector<Job> jobs(3, job(folder, "waits", "exec sleep 600"));
  std::atomic<int> stop = 0;
  std::vector<int> codes;
  run_jobs(
      jobs, 2, [&](const JobEnd& end) { codes.push_back(end.code); },
      [&](const std::vector<size_t>& /*running*/) { stop = SIGINT; }, stop);
  EXPECT_THAT(codes, testing::ElementsAre(128 + SIGTERM, 128 + SIGTERM)) << "the third never starts";
}

TEST(JobQueue, RunsThisProgramByDefault) {
  const TemporaryFolder folder;
  const std::vector<Job> jobs = {{"self", {"--gtest_list_tests"}, folder.path() / "self.log"}};
  const std::atomic<int> stop = 0;
  int code = -1;
  run_jobs(
      jobs, 1, [&](const JobEnd& end) { code = end.code; }, ignore, stop);
  EXPECT_EQ(code, 0);
  EXPECT_THAT(read_file(folder.path() / "self.log"), testing::HasSubstr("JobQueue."));
}

TEST(JobQueue, LastLineSkipsEmptyLines) {
  const TemporaryFolder folder;
  write_file_safely(folder.path() / "log", "one\ntwo\x1b[1m\r\n\n");
  EXPECT_THAT(last_line(folder.path() / "log"), testing::StartsWith("two"));
  EXPECT_EQ(last_line(folder.path() / "absent"), "");
  write_file_safely(folder.path() / "long", fmt::format("{:x>200000}\nthe end\n", ""));
  EXPECT_EQ(last_line(folder.path() / "long"), "the end");
}

}  // namespace
}  // namespace frgan
