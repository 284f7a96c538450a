#include "frgan/device/machine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include <ATen/Parallel.h>
#include <sched.h>
#include <torch/version.h>
#include <unistd.h>

#include "frgan/device/device.h"

namespace frgan {
namespace {

// Files below /proc report size 0, so read_file cannot read them.
std::string system_text(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The text after the first "KEY<blanks>:" at the start of a line, without leading blanks.
std::string_view value_of(std::string_view text, std::string_view key) {
  constexpr std::string_view kBlanks = " \t";
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(key)) continue;
    const size_t colon = line.find_first_not_of(kBlanks, key.size());
    if (colon == std::string_view::npos || line[colon] != ':') continue;
    const size_t begin = line.find_first_not_of(kBlanks, colon + 1);
    if (begin != std::string_view::npos) return line.substr(begin);
  }
  return {};
}

}  // namespace

std::string processor_name(std::string_view cpuinfo) {
  const std::string_view name = value_of(cpuinfo, "model name");
  return name.empty() ? "unknown" : std::string(name);
}

int64_t memory_quantity(std::string_view text, std::string_view key) {
  const std::string_view value = value_of(text, key);  // "16384 kB"
  int64_t kilobytes = 0;
  std::from_chars(value.data(), value.data() + value.size(), kilobytes);
  return kilobytes * 1024;
}

double cpu_quota(std::string_view cpu_max) {
  double quota = 0, period = 0;
  std::istringstream fields{std::string(cpu_max)};
  return fields >> quota >> period && quota > 0 && period > 0 ? quota / period : HUGE_VAL;
}

int64_t usable_cores() {
  cpu_set_t cores;
  double usable = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores)
                                                                   : std::max(1U, std::thread::hardware_concurrency());
  // The control group of this process in the unified hierarchy, and all groups above it: "0::/user.slice/a".
  const std::string group = system_text("/proc/self/cgroup");
  if (group.starts_with("0::/")) {
    const std::filesystem::path root = "/sys/fs/cgroup";
    for (std::filesystem::path path = group.substr(4, group.find('\n') - 4);; path = path.parent_path()) {
      usable = std::min(usable, cpu_quota(system_text((root / path / "cpu.max").c_str())));
      if (path.empty()) break;
    }
  }
  return std::max<int64_t>(1, std::llround(std::ceil(usable)));
}

double run_queue_seconds() {
  double nanoseconds = 0;
  std::error_code ended;  // a thread may end meanwhile
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", ended)) {
    std::istringstream fields(system_text((task.path() / "schedstat").c_str()));
    double running = 0, waiting = 0;
    if (fields >> running >> waiting) nanoseconds += waiting;
  }
  return 1e-9 * nanoseconds;
}

bool is_gpu(const std::string& device) {
  return resolve_device(device).is_cuda();
}

double process_seconds() {
  const std::string stat = system_text("/proc/self/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1)), uptime(system_text("/proc/uptime"));
  constexpr int kStartTime = 20;  // position of starttime among the fields after the name, see proc(5)
  std::string field;
  for (int i = 0; i < kStartTime; ++i) fields >> field;
  double now = 0, ticks = 0;
  std::from_chars(field.data(), field.data() + field.size(), ticks);
  uptime >> now;
  return std::max(0.0, now - ticks / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

Machine this_machine() {
  return {.processor = processor_name(system_text("/proc/cpuinfo")),
          .cores = usable_cores(),
          .threads = at::get_num_threads(),
          .memory_bytes = memory_quantity(system_text("/proc/meminfo"), "MemTotal"),
          .peak_memory_bytes = memory_quantity(system_text("/proc/self/status"), "VmHWM"),
          .libtorch = TORCH_VERSION};
}

}  // namespace frgan
