#include "frgan/device/device.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <filesystem>
#include <limits>
#include <string_view>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "frgan/core/error.h"
#include "frgan/device/machine.h"

namespace frgan {
namespace {

// Handle of the NVIDIA driver library, or nullptr if no driver is installed. LibTorch does not ship this library.
void* nvidia_driver() {
  static void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_GLOBAL);
  return driver;
}

// Loads libtorch_cuda.so from the folder of the running LibTorch; the library registers itself there. Returns the
// reason for a failure, or an empty string. Must run before the first CUDA query, because LibTorch caches the answer.
std::string load_cuda() {
  if (nvidia_driver() == nullptr) return "no NVIDIA driver found";
  Dl_info torch{};
  if (dladdr(reinterpret_cast<const void*>(&at::globalContext), &torch) == 0)
    return "the library file of LibTorch was not found";
  const std::filesystem::path library = std::filesystem::path(torch.dli_fname).replace_filename("libtorch_cuda.so");
  if (!std::filesystem::exists(library)) {
    return fmt::format("this LibTorch is a CPU-only build: {} is missing; `make gpu` builds with CUDA support",
                       library.string());
  }
  return dlopen(library.c_str(), RTLD_LAZY | RTLD_GLOBAL) == nullptr ? dlerror() : "";
}

const std::string& cuda_load_error() {
  static const std::string error = load_cuda();
  return error;
}

at::Device gpu(int64_t index) {
  at::globalContext().setAllowTF32CuDNN(false);
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

}  // namespace

int64_t gpu_count() {
  if (!cuda_load_error().empty() || !at::hasCUDA()) return 0;
  return static_cast<int64_t>(at::getNumGPUs());
}

bool has_native_bf16() {
  return __builtin_cpu_supports("avx512bf16") || __builtin_cpu_supports("amx-bf16");
}

std::string processor_capability() {
  if (__builtin_cpu_supports("amx-bf16")) return "AMX";
  if (__builtin_cpu_supports("avx512bf16")) return "AVX-512 BF16";
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  return __builtin_cpu_supports("avx2") ? "AVX2" : "no AVX2";
}

std::string kernel_capability() {
  constexpr std::string_view kLabel = "CPU capability usage: ";  // LibTorch 1.13 reports it only in this text
  const std::string config = at::show_config();
  const size_t begin = config.find(kLabel);
  if (begin == std::string::npos) return "unknown";
  return config.substr(begin + kLabel.size(), config.find('\n', begin) - begin - kLabel.size());
}

std::string why_no_gpu() {
  return cuda_load_error().empty() ? "LibTorch detects no GPU; its CUDA version may need a newer driver"
                                   : cuda_load_error();
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
    throw usage_error(fmt::format("invalid --device '{}'; must be auto, cpu, cuda or cuda:N", device));
  }
  if (index < 0 || index >= gpus) {
    const std::string reason = gpus == 0 ? why_no_gpu() : fmt::format("the number of GPUs is {}", gpus);
    throw usage_error(fmt::format("--device {} is not available: {}; try --device cpu", device, reason));
  }
  return gpu(index);
}

std::string device_name(at::Device device) {
  std::array<char, 256> name{};
  using GetName = int (*)(char*, int, int);  // cuDeviceGetName of the driver; returns 0 on success
  void* const driver = device.is_cuda() ? nvidia_driver() : nullptr;
  const auto get_name = driver == nullptr ? nullptr : reinterpret_cast<GetName>(dlsym(driver, "cuDeviceGetName"));
  if (get_name == nullptr || get_name(name.data(), static_cast<int>(name.size()), device.index()) != 0) {
    return device.str();
  }
  return fmt::format("{} ({})", device.str(), name.data());
}

Precision resolve_precision(PrecisionChoice precision, at::Device device) {
  const bool has_bf16 = !device.is_cpu() || has_native_bf16();
  const bool bf16 = precision == PrecisionChoice::kBf16 || (precision == PrecisionChoice::kAuto && has_bf16);
  return bf16 ? Precision::kBf16 : Precision::kFull;
}

int64_t set_threads(int64_t threads) {
  const auto wanted = static_cast<int>(threads > 0 ? threads : usable_cores());
  if (at::get_num_threads() != wanted) at::set_num_threads(wanted);  // a change costs milliseconds
  return at::get_num_threads();
}

// OpenBLAS maps a buffer of 128 MiB for each thread (BUFFER_SIZE of its x86-64 builds).
void check_address_space(int64_t threads) {
  static std::atomic<int64_t> checked = 0;  // OpenBLAS's buffers are global, too
  if (threads == 0) threads = usable_cores();
  rlimit limit{};
  if (threads <= checked || at::hasMKL() || getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return;
  constexpr size_t kBuffer = size_t{128} << 20;
  const size_t size = kBuffer * static_cast<size_t>(threads - checked);
  void* const room = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) {
    throw Error(fmt::format(
        "the limit on virtual memory, {} MiB (ulimit -v), is too low: matrix products on {} need {} MiB more; raise it",
        limit.rlim_cur >> 20, counted(threads, "thread"), size >> 20));
  }
  munmap(room, size);
  checked = threads;
}

void prepare_memory(int64_t threads) {
  check_address_space(threads);
  constexpr int kLargest = 1 << 30;  // largest block that is allocated on the heap, in bytes
  mallopt(M_MMAP_THRESHOLD, kLargest);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

}  // namespace frgan
