#include "frgan/profile/timing.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace frgan {
namespace {

TEST(Timing, ExcludesTheWarmUpRun) {
  int runs = 0;
  const double seconds =
      median_seconds(3, [&] { std::this_thread::sleep_for(std::chrono::milliseconds(++runs == 1 ? 200 : 2)); });
  EXPECT_EQ(runs, 4);
  EXPECT_GE(seconds, 0.002);
  EXPECT_LT(seconds, 0.2);
}

TEST(GemmRate, IsPlausible) {
  EXPECT_GT(gemm_rate(Precision::kFull, 64), 1e6);
  EXPECT_LT(gemm_rate(Precision::kFull, 64), 1e15);
  EXPECT_GT(gemm_rate(Precision::kBf16, 16), 1e3);
}

}  // namespace
}  // namespace frgan
