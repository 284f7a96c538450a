#include "frgan/device/machine.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <initializer_list>
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

namespace fs = std::filesystem;

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

// The smallest quota, in cores, of a control group and all groups above it. The text of the files holds quota and
// period.
double group_quota(const std::optional<std::string>& group, const fs::path& root,
                   std::initializer_list<const char*> files) {
  if (!group) return HUGE_VAL;
  double quota = HUGE_VAL;
  for (fs::path path = *group;; path = path.parent_path()) {
    std::string text;
    for (const char* file : files) text += system_text((root / path / file).c_str());
    quota = std::min(quota, cpu_quota(text));
    if (path.empty()) return quota;
  }
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

double cpu_quota(std::string_view quota_and_period) {
  double quota = 0, period = 0;
  std::istringstream fields{std::string(quota_and_period)};
  return fields >> quota >> period && quota > 0 && period > 0 ? quota / period : HUGE_VAL;
}

std::optional<std::string> control_group(std::string_view cgroups, std::string_view controller) {
  std::istringstream lines{std::string(cgroups)};
  // "4:cpu,cpuacct:/docker/a" in version 1, "0::/user.slice/a" in version 2.
  for (std::string number, controllers, path;
       std::getline(lines, number, ':') && std::getline(lines, controllers, ':') && std::getline(lines, path);) {
    std::istringstream names(controllers + ',');  // so that an empty list has one empty name
    for (std::string name; std::getline(names, name, ',');) {
      if (name == controller && path.starts_with('/')) return path.substr(1);
    }
  }
  return std::nullopt;
}

int64_t usable_cores() {
  cpu_set_t cores;
  double usable = sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores)
                                                                   : std::max(1U, std::thread::hardware_concurrency());
  const std::string cgroups = system_text("/proc/self/cgroup");
  usable = std::min(usable, group_quota(control_group(cgroups, ""), "/sys/fs/cgroup", {"cpu.max"}));
  usable = std::min(usable, group_quota(control_group(cgroups, "cpu"), "/sys/fs/cgroup/cpu",
                                        {"cpu.cfs_quota_us", "cpu.cfs_period_us"}));
  return std::max<int64_t>(1, std::llround(std::ceil(usable)));
}

double run_queue_seconds() {
  double nanoseconds = 0;
  std::error_code ended;  // a thread may end meanwhile
  for (const auto& task : fs::directory_iterator("/proc/self/task", ended)) {
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
