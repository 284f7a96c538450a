// Runs four small training steps for tests/profile/step_counts.py, which counts their instructions:
//
//   valgrind --tool=callgrind --instr-atstart=no callgrind_step METHOD
//
// Only these four steps are counted, without startup, initialization and warm-up steps. Prints the LibTorch version and
// the kernels in use as JSON.
#include <cstdio>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <valgrind/callgrind.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/device/device.h"
#include "frgan/profile/step_benchmark.h"

namespace frgan {
namespace {

void run(const std::string& name) {
  constexpr int kWarmUp = 2, kCounted = 4;
  constexpr int64_t kImages = 2000;  // more than these steps use, so no pass over the data ends
  StepOnRandomImages step(name);
  OptionSet options;
  step.describe(options);
  options.set_values({{"width", 1.0 / 16}, {"batch-size", 4}, {"init-images", 4}}, "callgrind_step");
  step.prepare({.precision = PrecisionChoice::kFp32, .threads = 1, .images = kImages});
  for (int i = 0; i < kWarmUp; ++i) step.run();
  CALLGRIND_START_INSTRUMENTATION;
  for (int i = 0; i < kCounted; ++i) step.run();
  CALLGRIND_STOP_INSTRUMENTATION;
  const Json found{{"libtorch", this_machine().libtorch},
                   {"processor", processor_capability()},
                   {"kernels", kernel_capability()},
                   {"steps", kCounted}};
  fmt::print("{}\n", found.dump());
}

}  // namespace
}  // namespace frgan

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw frgan::usage_error("usage: callgrind_step METHOD");
    frgan::run(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "callgrind_step: {}\n", error.what());
    return 1;
  }
}
