#include "frgan/plans/job_queue.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <span>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// The null-terminated argument array of exec. The pointers refer to `texts`.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Runs in the child between fork and exec: calls only async-signal-safe functions.
[[noreturn]] void become(const char* program, char* const* arguments, int log, pid_t parent) {
  setpgid(0, 0);  // Ctrl-C reaches only the parent, which forwards it as SIGTERM
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // the parent died before prctl
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(program, arguments);
  constexpr std::string_view kMessage = "cannot start the program\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(127);
}

pid_t start(const Job& job) {
  ensure_directory(job.log.parent_path());
  const int log = open(job.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0) throw Error(fmt::format("{}: cannot open the log: {}", job.log.string(), std::strerror(errno)));
  // exec opens the link, not its target: after a rebuild, the target path no longer names the running program.
  const std::string program = job.program.empty() ? "/proc/self/exe" : job.program.string();
  const fs::path name = job.program.empty() ? fs::read_symlink(program) : job.program;
  std::vector<std::string> words = {name.string()};
  words.insert(words.end(), job.arguments.begin(), job.arguments.end());
  const std::vector<char*> arguments = pointers_to(words);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(program.c_str(), arguments.data(), log, parent);
  close(log);
  if (child < 0) throw Error(fmt::format("{}: cannot start a process: {}", job.name, std::strerror(errno)));
  return child;
}

}  // namespace

void run_jobs(const std::vector<Job>& jobs, int64_t at_once, const std::function<void(const JobEnd&)>& ended,
              const std::function<void(const std::vector<size_t>& running)>& watch,
              const std::atomic<int>& stop_signal) {
  using namespace std::chrono_literals;
  constexpr auto kPoll = 100ms;
  constexpr int kPollsPerWatch = 10;
  std::map<pid_t, size_t> running;
  size_t next = 0;
  bool stop_sent = false;
  for (int polls = 0; true; ++polls) {
    while (stop_signal == 0 && next < jobs.size() && std::ssize(running) < at_once) {
      running[start(jobs[next])] = next;
      ++next;
    }
    if (running.empty() && (next == jobs.size() || stop_signal != 0)) return;
    if (stop_signal != 0 && !stop_sent) {
      for (const auto& [process, job] : running) kill(process, SIGTERM);
      stop_sent = true;
    }
    int status = 0;
    for (auto item = running.begin(); item != running.end();) {
      if (waitpid(item->first, &status, WNOHANG) != item->first) {
        ++item;
        continue;
      }
      const JobEnd end{item->second, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
      item = running.erase(item);
      ended(end);
    }
    if (polls % kPollsPerWatch == 0) {
      std::vector<size_t> indices;
      indices.reserve(running.size());
      for (const auto& [process, job] : running) indices.push_back(job);
      std::sort(indices.begin(), indices.end());
      watch(indices);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

std::string last_line(const fs::path& file) {
  constexpr int64_t kTail = int64_t{1} << 16;  // bytes read from the end of the file
  std::error_code missing;
  if (!fs::is_regular_file(file, missing)) return "";
  InputFile input(file);
  std::string text(static_cast<size_t>(std::min(input.size(), kTail)), '\0');
  input.seek(input.size() - std::ssize(text));
  input.read(std::as_writable_bytes(std::span(text)));
  const size_t end = text.find_last_not_of("\n\r ");
  if (end == std::string::npos) return "";
  const size_t begin = text.find_last_of("\n\r", end);
  return one_line(text.substr(begin + 1, end - begin));
}

}  // namespace frgan
