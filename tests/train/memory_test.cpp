// The memory of training steps. Not in builds with AddressSanitizer, which keeps freed memory.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "../methods/small_methods.h"
#include "frgan/device/device.h"
#include "frgan/device/machine.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

// Memory of this process that no file backs, in bytes.
int64_t anonymous_memory() {
  std::ifstream status("/proc/self/status");
  return memory_quantity(std::string(std::istreambuf_iterator<char>(status), {}), "RssAnon");
}

TEST(Memory, DoesNotGrowWithTheNumberOfSteps) {
  prepare_memory(1);
  set_threads(1);
  for (const double outlier_limit : {0.0, 100.0}) {
    const Problem problem = small_problem(at::kFloat);
    const std::unique_ptr<Method> method = small_method("fr-gan", {{"gen-loss", "fm+ns"}}, problem);
    Trainer trainer(*method, problem, RandomBatches{problem}, 1000, outlier_limit);
    trainer.initialize();
    const auto steps = [&](int count) {
      for (int i = 0; i < count; ++i) trainer.step();
      trainer.take_losses();
    };
    steps(200);
    const int64_t before = anonymous_memory();
    ASSERT_GT(before, 10 << 20);
    steps(800);
    EXPECT_LT(anonymous_memory() - before, 1 << 20) << "outlier limit " << outlier_limit;
  }
}

}  // namespace
}  // namespace frgan
