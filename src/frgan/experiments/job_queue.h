// Jobs as processes of their own, several at once: one that fails or crashes takes no other with it.
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
  std::filesystem::path log;           // what it prints is appended there
  std::filesystem::path program{};     // empty: this one
};

struct JobEnd {
  size_t job = 0;  // its place in the list
  int code = 0;    // of exit; 128 + the signal that ended it
};

// Starts the jobs in order, `at_once` of them side by side, until all have ended. `ended` is called after each, `watch`
// about once a second with those that run. When `stop_signal` is no longer 0, no further job starts and the running
// ones get SIGTERM, which lets a training write its checkpoint; they are waited for. They get it too when this process
// dies. Throws an Error where a process cannot be started.
void run_jobs(const std::vector<Job>& jobs, int64_t at_once, const std::function<void(const JobEnd&)>& ended,
              const std::function<void(const std::vector<size_t>& running)>& watch,
              const std::atomic<int>& stop_signal);

// The last line that is not empty, for a message about what went wrong; empty where there is none.
std::string last_line(const std::filesystem::path& file);

}  // namespace frgan
