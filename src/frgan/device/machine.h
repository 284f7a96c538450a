// The hardware of this machine, and the time and memory of this process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace frgan {

// Hardware and LibTorch version, as seen by this process.
struct Machine {
  std::string processor;          // "AMD EPYC 9R14 96-Core Processor"; "unknown" if not in /proc/cpuinfo
  int64_t cores = 0;              // logical cores available to this process
  int64_t threads = 0;            // used by LibTorch
  int64_t memory_bytes = 0;       // total main memory
  int64_t peak_memory_bytes = 0;  // largest resident set size of this process so far
  std::string libtorch;           // "1.13.0"
};
Machine this_machine();

// Number of CPU cores that this process may use: those of its affinity, but not more than the CPU quota of its control
// groups (version 1 or 2), rounded up.
int64_t usable_cores();
// The quota in cores, from the text of a cpu.max file, or of cpu.cfs_quota_us and cpu.cfs_period_us: 1.5 for
// "150000 100000"; infinite for "max 100000" and "-1 100000".
double cpu_quota(std::string_view quota_and_period);
// The path of a process's control group without the leading slash, from the text of /proc/PID/cgroup. `controller` is
// "cpu" for version 1 and empty for version 2. None if the process has no such group.
std::optional<std::string> control_group(std::string_view cgroups, std::string_view controller);

// Whether a device (auto, cpu, cuda or cuda:N) is a GPU. Throws a usage error like resolve_device (device/device.h).
bool is_gpu(const std::string& device);

// Seconds since the start of this process.
double process_seconds();

// Seconds that the threads of this process were ready to run but waited for a core, summed over its present threads
// (/proc/self/task/*/schedstat). 0 if the kernel does not count them.
double run_queue_seconds();

// Extracts the processor's name from the text of /proc/cpuinfo, or returns "unknown".
std::string processor_name(std::string_view cpuinfo);
// Extracts "MemTotal" from the text of /proc/meminfo, or "VmHWM" from /proc/self/status, in bytes; 0 if it is missing.
int64_t memory_quantity(std::string_view text, std::string_view key);

// Sets the number of threads of LibTorch and OpenMP for the calling thread: OpenMP keeps the number per calling thread.
// 0 means usable_cores(). Returns the number in use.
int64_t set_threads(int64_t threads);

}  // namespace frgan
