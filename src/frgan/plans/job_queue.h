// Runs jobs as separate processes, several at once. A job that fails or crashes does not affect the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace frgan {

struct Job {
  std::string name;
  std::vector<std::string> arguments;  // "train", "--preset=gan", ...
  std::filesystem::path log;           // its stdout and stderr are appended here
  std::filesystem::path program{};     // empty: the running program
};

struct JobEnd {
  size_t job = 0;  // index in the list of jobs
  int code = 0;    // exit code; 128 + the signal that killed it
};

// Starts the jobs in order, at most `at_once` concurrently, and returns when all have ended. Calls `ended` after each
// job and `watch` about once a second with the indices of the running jobs. When `stop_signal` becomes nonzero, no
// further job starts. The running jobs receive SIGTERM, so that training can write its checkpoint, and are waited for.
// Jobs also receive SIGTERM when this process dies. Throws an Error if a process cannot be started.
void run_jobs(const std::vector<Job>& jobs, int64_t at_once, const std::function<void(const JobEnd&)>& ended,
              const std::function<void(const std::vector<size_t>& running)>& watch,
              const std::atomic<int>& stop_signal);

// The last nonempty line of a log, for error messages; empty if there is none or no such file.
std::string last_line(const std::filesystem::path& file);

}  // namespace frgan
