#include "frgan/core/device.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <limits>
#include <string_view>
#include <thread>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
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

// NVIDIA's driver, whose library comes with it and never with LibTorch; nullptr where there is none.
void* nvidia_driver() {
  static void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_GLOBAL);
  return driver;
}

// Loads libtorch_cuda.so from beside the LibTorch that runs; it makes itself known to it. Returns what stands in the
// way, or nothing. LibTorch asks once whether it has CUDA, so this goes before any such question.
std::string load_cuda() {
  if (nvidia_driver() == nullptr) return "the machine has no NVIDIA driver";
  Dl_info torch{};
  if (dladdr(reinterpret_cast<const void*>(&at::globalContext), &torch) == 0) return "LibTorch was not found";
  const std::filesystem::path library = std::filesystem::path(torch.dli_fname).replace_filename("libtorch_cuda.so");
  if (!std::filesystem::exists(library)) {
    return fmt::format("this LibTorch computes on CPUs only, for there is no {}; `make gpu` builds on one that has it",
                       library.string());
  }
  return dlopen(library.c_str(), RTLD_LAZY | RTLD_GLOBAL) == nullptr ? dlerror() : "";
}

const std::string& cuda_obstacle() {
  static const std::string obstacle = load_cuda();
  return obstacle;
}

at::Device gpu(int64_t index) {
  at::globalContext().setAllowTF32CuDNN(false);
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

}  // namespace

int64_t gpu_count() {
  if (!cuda_obstacle().empty() || !at::hasCUDA()) return 0;
  return static_cast<int64_t>(at::getNumGPUs());
}

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

std::string why_no_gpu() {
  return cuda_obstacle().empty() ? "LibTorch sees none; its CUDA may want a newer driver" : cuda_obstacle();
}

at::Device resolve_device(const std::string& device) {
  if (device == "cpu") return at::kCPU;
  const int64_t gpus = gpu_count();
  if (device == "auto") return gpus > 0 ? gpu(0) : at::kCPU;
  int64_t index = 0;
  const bool numbered = device.starts_with("cuda:");
  const char* end = device.data() + device.size();
  const bool number = numbered && std::from_chars(device.data() + 5, end, index).ptr == end && device.size() > 5;
  if (device != "cuda" && !number) {
    throw usage_error(fmt::format("--device: '{}' is no device; give auto, cpu, cuda or cuda:N", device));
  }
  if (index < 0 || index >= gpus) {
    const std::string reason = gpus == 0 ? why_no_gpu() : fmt::format("LibTorch sees {} GPUs", gpus);
    throw usage_error(fmt::format("--device: there is no {} here: {}; try --device cpu", device, reason));
  }
  return gpu(index);
}

std::string device_name(at::Device device) {
  std::array<char, 256> name{};
  using GetName = int (*)(char*, int, int);  // cuDeviceGetName of the driver; 0: it was found
  void* const driver = device.is_cuda() ? nvidia_driver() : nullptr;
  const auto get_name = driver == nullptr ? nullptr : reinterpret_cast<GetName>(dlsym(driver, "cuDeviceGetName"));
  if (get_name == nullptr || get_name(name.data(), static_cast<int>(name.size()), device.index()) != 0) {
    return device.str();
  }
  return fmt::format("{} ({})", device.str(), name.data());
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
