#include "app/bench_contention.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/console.h"
#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/device/machine.h"

namespace frgan {
namespace {

// Processes that each keep a core busy, until the object ends.
class BusyCores {
 public:
  explicit BusyCores(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (std::atomic<bool> on = true; on;) {
        }
      }
      if (child > 0) children_.push_back(child);
    }
  }
  BusyCores(const BusyCores&) = delete;
  BusyCores& operator=(const BusyCores&) = delete;
  ~BusyCores() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }

 private:
  std::vector<pid_t> children_;
};

// Runs this program in a child process with this nice value. Returns its stdout.
std::string output_of(std::vector<std::string> words, int nice) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw Error(fmt::format("cannot start a measurement: {}", std::strerror(errno)));
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, nice);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv("/proc/self/exe", arguments.data());
    _exit(127);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    throw Error(fmt::format("a measurement failed: {}", fmt::join(words, " ")));
  }
  return text;
}

// The work that is timed.
struct Work {
  const char* name;
  std::vector<std::string> options;
  int steps;       // timed if a step is short
  int slow_steps;  // timed otherwise, for one thread and for a measured number
  int few_steps;   // timed first, to find out which of the two
};

// Mean seconds of a step.
double time_steps(const Work& work, const std::vector<std::string>& threads, int steps, int nice) {
  std::vector<std::string> words{"frgan", "bench", "--step-only", "--json=-", fmt::format("--steps={}", steps)};
  words.insert(words.end(), work.options.begin(), work.options.end());
  words.insert(words.end(), threads.begin(), threads.end());
  const auto seconds = parse_json(output_of(words, nice), "bench").at("steps").get<std::vector<double>>();
  double sum = 0;
  for (const double step : seconds) sum += step;
  return sum / static_cast<double>(seconds.size());
}

// Whether steps are short enough to time many of them. Beside other programs, they may take a hundred times as long.
bool is_short(double seconds) {
  return seconds < 0.4;
}

}  // namespace

int run_contention() {
  constexpr int kNice = 10;
  const std::vector<Work> works{
      {"small", {"--preset=fast", "--width=0.25", "--batch-size=16"}, 150, 50, 10},
      {"full width", {"--method=fr-gan", "--width=1", "--batch-size=20"}, 6, 6, 3},
  };
  struct Case {
    const char* name;
    int busy, nice;
  };
  constexpr std::array<Case, 5> kCases{{{"idle", 0, 0},
                                        {"one busy core", 1, 0},
                                        {"one busy core, lower priority", 1, kNice},
                                        {"two busy cores", 2, 0},
                                        {"two busy cores, lower priority", 2, kNice}}};
  const Machine machine = this_machine();
  print_output("{}, {} cores, LibTorch {}; mean seconds per step; lower priority: nice {}\n\n", machine.processor,
               machine.cores, machine.libtorch, kNice);
  print_output("| step | other load | 1 thread | {} threads | measured number | measured / better |\n", machine.cores);
  print_output("|---|---|---|---|---|---|\n");
  double worst = 0;
  for (const Work& work : works) {
    for (const Case& other : kCases) {
      const BusyCores load(other.busy);
      double one = time_steps(work, {"--threads=1"}, work.few_steps, other.nice);
      const int steps = is_short(one) ? work.steps : work.slow_steps;
      one = time_steps(work, {"--threads=1"}, steps, other.nice);
      double all = time_steps(work, {}, work.few_steps, other.nice);
      if (is_short(all)) all = time_steps(work, {}, work.steps, other.nice);
      const double measured = time_steps(work, {"--adapt-threads"}, steps, other.nice);
      const double ratio = measured / std::min(one, all);
      worst = std::max(worst, ratio);
      print_output("| {} | {} | {:.3f} | {:.3f} | {:.3f} | {:.2f} |\n", work.name, other.name, one, all, measured,
                   ratio);
      std::fflush(stdout);
    }
  }
  print_output("\nThe measured number of threads takes at most {:.2f} times as long as the better fixed number.\n",
               worst);
  return worst <= 2 ? 0 : 1;
}

}  // namespace frgan
