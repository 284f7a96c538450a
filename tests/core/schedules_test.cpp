#include "frgan/core/schedules.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_file.h"

namespace frgan {
namespace {

TEST(Schedules, MatchGoldenValues) {
  const GoldenFile golden("schedules");
  std::vector<double> gaussian, linear, rate, decay;
  for (int step = 0; step < 1000; ++step) {
    gaussian.push_back(ramp_up(RampShape::kGaussian, step / 1000.0, 1.0 / 900, 80.0 / 900));
    linear.push_back(ramp_up(RampShape::kLinear, step / 1000.0, 1.0 / 900, 80.0 / 900));
    rate.push_back(linear_decay(step / 1000.0, 2.0 / 3));
  }
  const at::Tensor steps = golden["average_decay.step"].to(at::kDouble);
  for (int64_t i = 0; i < steps.numel(); ++i) {
    decay.push_back(average_decay(AverageShape::kRamp, 0.9999, steps[i].item<double>()));
  }
  EXPECT_TRUE(close_to(at::tensor(gaussian, at::kDouble), golden["ramp_up.gaussian"], 1e-14));
  EXPECT_TRUE(close_to(at::tensor(linear, at::kDouble), golden["ramp_up.linear"], 1e-14));
  EXPECT_TRUE(close_to(at::tensor(rate, at::kDouble), golden["learning_rate"], 1e-14));
  EXPECT_TRUE(close_to(at::tensor(decay, at::kDouble), golden["average_decay"], 1e-14));
}

TEST(Schedules, RampUpIsZeroAtFirstAndReachesItsMaximum) {
  for (const RampShape shape : {RampShape::kGaussian, RampShape::kLinear}) {
    SCOPED_TRACE(static_cast<int>(shape));
    EXPECT_EQ(ramp_up(shape, 0, 0.1, 0.5), 0);
    EXPECT_EQ(ramp_up(shape, 0.0999, 0.1, 0.5), 0);
    EXPECT_GT(ramp_up(shape, 0.1, 0.1, 0.5), 0);
    EXPECT_LT(ramp_up(shape, 0.4999, 0.1, 0.5), 1);
    EXPECT_EQ(ramp_up(shape, 0.5, 0.1, 0.5), 1);
    EXPECT_EQ(ramp_up(shape, 1, 0.1, 0.5), 1);
  }
  EXPECT_DOUBLE_EQ(ramp_up(RampShape::kGaussian, 0.25, 0.1, 0.5), std::exp(-5 * 0.25));
  EXPECT_DOUBLE_EQ(ramp_up(RampShape::kLinear, 0.25, 0.1, 0.5), 0.5);
  EXPECT_EQ(ramp_up(RampShape::kNone, 0, 0.1, 0.5), 1);
  // If the ramp has no length, the weight jumps to its maximum.
  EXPECT_EQ(ramp_up(RampShape::kGaussian, 0, 0, 0), 1);
  EXPECT_EQ(ramp_up(RampShape::kGaussian, 0.2, 0.3, 0.3), 0);
  EXPECT_EQ(ramp_up(RampShape::kGaussian, 0.3, 0.3, 0.3), 1);
}

TEST(Schedules, LearningRateFallsLinearlyToZero) {
  EXPECT_EQ(linear_decay(0, 0.5), 1);
  EXPECT_EQ(linear_decay(0.5, 0.5), 1);
  EXPECT_DOUBLE_EQ(linear_decay(0.75, 0.5), 0.5);
  EXPECT_EQ(linear_decay(1, 0.5), 0);
  EXPECT_EQ(linear_decay(1.5, 0.5), 0);
  EXPECT_EQ(linear_decay(0.9, 1), 1);  // no decay
  EXPECT_EQ(linear_decay(1, 1), 1);
  EXPECT_DOUBLE_EQ(linear_decay(0.1, 0), 0.9);  // decay from the first step
}

TEST(Schedules, CosineDecayEndsAtAFifth) {
  EXPECT_EQ(gaussian_decay(0.8, 0.8), 1);
  EXPECT_NEAR(gaussian_decay(0.9, 0.8), 0.0439369336234074, 1e-12);  // exp(-12.5 / 4)
  EXPECT_NEAR(gaussian_decay(1, 0.8), 3.72665317207867e-06, 1e-15);  // exp(-12.5)
  EXPECT_EQ(gaussian_decay(1, 1), 1);
  EXPECT_EQ(cosine_decay(0), 1);
  EXPECT_NEAR(cosine_decay(0.5), 0.773010453362737, 1e-15);  // cos(7 pi / 32)
  EXPECT_NEAR(cosine_decay(1), 0.195090322016128, 1e-15);    // cos(7 pi / 16)
}

TEST(Schedules, AverageCoversTheLastTenthUpToItsLimit) {
  EXPECT_DOUBLE_EQ(average_decay(AverageShape::kRamp, 0.99, 0), 0.1);
  EXPECT_DOUBLE_EQ(average_decay(AverageShape::kRamp, 0.99, 90), 0.91);
  EXPECT_DOUBLE_EQ(average_decay(AverageShape::kRamp, 0.99, 889), 890.0 / 899);
  EXPECT_DOUBLE_EQ(average_decay(AverageShape::kRamp, 0.99, 5000), 0.99);
  EXPECT_EQ(average_decay(AverageShape::kFixed, 0.99, 0), 0.99);
  EXPECT_EQ(average_decay(AverageShape::kCorrected, 0.99, 0), 0);
}

TEST(Schedules, CorrectedAverageMatchesGoldenAverageFromZero) {
  const GoldenFile golden("schedules");
  const at::Tensor parameters = golden["adam.parameters"];
  at::Tensor average = at::full_like(parameters[0], 7);  // the first update overwrites it
  for (int64_t step = 0; step < parameters.size(0); ++step) {
    const double decay = average_decay(AverageShape::kCorrected, 0.9, static_cast<double>(step));
    average = decay * average + (1 - decay) * parameters[step];
    EXPECT_TRUE(close_to(average, golden["average.from_zero"][step], 1e-12));
  }
}

// The steps of a run after which an evaluation follows.
std::vector<int64_t> evaluated_steps(int64_t steps, int64_t count) {
  std::vector<int64_t> found;
  for (int64_t step = 1; step <= steps; ++step) {
    if (evaluations_due(step, steps, count) > evaluations_due(step - 1, steps, count)) found.push_back(step);
  }
  return found;
}

TEST(Evaluations, AreDenserInTheLastFifth) {
  const std::vector<int64_t> found = evaluated_steps(9000, 30);
  std::vector<int64_t> expected;
  for (int64_t i = 1; i <= 10; ++i) expected.push_back(720 * i);
  for (int64_t i = 1; i <= 20; ++i) expected.push_back(7200 + 90 * i);
  EXPECT_EQ(found, expected);
}

TEST(Evaluations, MatchTheirCountAndEndWithTheRun) {
  for (const int64_t steps : {1000, 8999, 9001, 12'345}) {
    for (int64_t count = 1; count <= 40; ++count) {
      const std::vector<int64_t> found = evaluated_steps(steps, count);
      ASSERT_EQ(std::ssize(found), count) << steps;
      EXPECT_EQ(found.back(), steps) << count;
      const int64_t four_fifths = (4 * steps + 4) / 5;
      const auto early = std::count_if(found.begin(), found.end(), [=](int64_t step) { return step <= four_fifths; });
      EXPECT_EQ(early, count / 3) << steps << ' ' << count;
    }
  }
}

TEST(Evaluations, AreFewerInShortRuns) {
  const std::vector<int64_t> found = evaluated_steps(20, 30);
  EXPECT_EQ(found, (std::vector<int64_t>{2, 4, 5, 7, 8, 10, 12, 13, 15, 16, 17, 18, 19, 20}));
  EXPECT_EQ(evaluated_steps(1, 30), (std::vector<int64_t>{1}));
}

TEST(Evaluations, SingleOneFollowsTheLastStepAndZeroMeansNone) {
  EXPECT_EQ(evaluated_steps(100, 1), (std::vector<int64_t>{100}));
  EXPECT_EQ(evaluated_steps(100, 0), (std::vector<int64_t>{}));
}

// The options allow at most 10^6 evaluations in 10^9 steps.
TEST(Evaluations, DoNotOverflowInTheLongestRun) {
  constexpr int64_t kSteps = 1'000'000'000, kCount = 1'000'000;
  EXPECT_EQ(evaluations_due(kSteps, kSteps, kCount), kCount);
  EXPECT_EQ(evaluations_due(2'400'002, kSteps, kCount), 999);
  EXPECT_EQ(evaluations_due(2'400'003, kSteps, kCount), 1000);  // of 333,333 in 800,000,000
  EXPECT_EQ(evaluations_due(int64_t{1} << 31, int64_t{1} << 31, kCount), kCount);
}

}  // namespace
}  // namespace frgan
