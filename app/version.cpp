// frgan version: the version and the hardware; the first thing a bug report needs.
#include "frgan/core/version.h"

#include <string_view>

#include <ATen/Context.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "frgan/device/device.h"
#include "frgan/report/run_summary.h"

namespace frgan {
namespace {

std::string_view blas() {
  // LibTorch then contains MKL; a loaded OpenBLAS belongs to other libraries.
  if (at::hasMKL()) return "MKL";
  // 0: one thread, 1: threads of its own, 2: OpenMP
  const auto parallel = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
  if (parallel == nullptr) return "not OpenBLAS: may be slow";
  if (parallel() == 2) return "OpenBLAS with OpenMP";
  return "OpenBLAS without OpenMP: competes with LibTorch's threads; install libopenblas0-openmp";
}

}  // namespace

int run_version(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"version", "", "Prints the version, the LibTorch build and the available devices."};
  OptionSet options;
  if (print_help(kSyntax, arguments, options)) return 0;
  read_arguments(kSyntax, arguments, options);
  const int64_t gpus = gpu_count();
  const Machine machine = this_machine();
  print_output("frgan {} ({})\n", version(), source_commit());
  print_output("LibTorch   {}\n", machine.libtorch);
  print_output("processor  {}, {} cores, {} GiB of memory\n", machine.processor, machine.cores,
               machine.memory_bytes >> 30);
  print_output("kernels    {}\n", kernel_capability());
  print_output("bf16       {}\n", has_native_bf16() ? "native" : "emulated and slow: --precision auto selects fp32");
  print_output("BLAS       {}\n", blas());
  print_output("GPU        {}\n",
               gpus > 0 ? fmt::format("{}, {}", gpus, device_name({at::kCUDA, 0})) : "none: " + why_no_gpu());
  return 0;
}

}  // namespace frgan
