#include "frgan/core/device.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sched.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

int64_t usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return CPU_COUNT(&cores);
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

bool has_native_bf16() {
  return __builtin_cpu_supports("avx512bf16") || __builtin_cpu_supports("amx-bf16");
}

std::string processor_capability() {
  if (__builtin_cpu_supports("amx-bf16")) return "AMX";
  if (__builtin_cpu_supports("avx512bf16")) return "AVX-512 BF16";
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  return __builtin_cpu_supports("avx2") ? "AVX2" : "none of these";
}

std::string kernel_capability() {
  constexpr std::string_view kLabel = "CPU capability usage: ";  // only LibTorch's text for people has it in 1.13
  const std::string config = at::show_config();
  const size_t begin = config.find(kLabel);
  if (begin == std::string::npos) return "unknown";
  return config.substr(begin + kLabel.size(), config.find('\n', begin) - begin - kLabel.size());
}

at::Device resolve_device(const std::string& device) {
  if (device == "cpu") return at::kCPU;
  const int64_t gpus = at::hasCUDA() ? static_cast<int64_t>(at::getNumGPUs()) : 0;
  if (device == "auto") return gpus > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
  int64_t index = 0;
  const bool numbered = device.starts_with("cuda:");
  const char* end = device.data() + device.size();
  const bool number = numbered && std::from_chars(device.data() + 5, end, index).ptr == end && device.size() > 5;
  if (device != "cuda" && !number) {
    throw usage_error(fmt::format("--device: '{}' is no device; give auto, cpu, cuda or cuda:N", device));
  }
  if (index < 0 || index >= gpus) {
    throw usage_error(
        fmt::format("--device: there is no {} here; this LibTorch sees {} GPUs, try --device cpu", device, gpus));
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

std::string resolve_precision(const std::string& precision, at::Device device) {
  if (precision != "auto") return precision;
  return !device.is_cpu() || has_native_bf16() ? "bf16" : "fp32";
}

int64_t set_threads(int64_t threads) {
  at::set_num_threads(static_cast<int>(threads > 0 ? threads : usable_cores()));
  return at::get_num_threads();
}

void keep_freed_memory() {
  constexpr int kLargest = 1 << 30;  // of a block that comes from the heap
  mallopt(M_MMAP_THRESHOLD, kLargest);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

}  // namespace frgan
