#include "frgan/profile/step_benchmark.h"

#include <numeric>

#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

// A step that takes milliseconds.
void describe_small(StepOnRandomImages& step, OptionSet& options) {
  step.describe(options);
  options.set_values({{"width", 1.0 / 16}, {"batch-size", 4}, {"init-images", 4}}, "the test");
}

const StepBenchmarkOptions kSmall{
    .precision = PrecisionChoice::kFp32, .threads = 1, .images = 50, .steps = 2, .gemm_size = 64, .step_only = false};

TEST(StepBenchmark, MeasuresTimesAndDetails) {
  StepOnRandomImages step("fr-gan");
  OptionSet options;
  describe_small(step, options);
  const StepBenchmark found = step.measure(kSmall);
  EXPECT_EQ(found.device, "cpu");
  EXPECT_EQ(found.precision, Precision::kFull);
  EXPECT_EQ(found.machine.threads, 1);
  EXPECT_EQ(found.images_per_step, 5 * 4);
  EXPECT_EQ(found.seconds.size(), 2U);
  EXPECT_EQ(found.median_seconds, (found.seconds[0] + found.seconds[1]) / 2);
  EXPECT_NEAR(found.rate() * found.median_seconds, found.step_flop, 1e-6 * found.step_flop);
  ASSERT_TRUE(found.details);
  const StepDetails& details = *found.details;
  EXPECT_EQ(found.gemm_rate(), details.gemm_fp32);
  ASSERT_EQ(details.profile.scopes.size(), 2U);
  EXPECT_EQ(details.profile.scopes[0].name, "discriminator");
  EXPECT_EQ(details.profile.scopes[0].calls, 2) << "one call per step";
  EXPECT_GT(details.allocations.count, 0);
  EXPECT_GT(total_seconds(details.convolutions), 0);
  EXPECT_GT(total_seconds(details.classification_convolutions), 0);
  EXPECT_EQ(details.classified_images, 1024);
}

// No convolution of the step lacks in the FLOP of the measured convolutions: the rest of step_flop is dense layers and
// squeeze-and-excitation, and the passes to the first layer's input that step_flop counts and no step computes.
TEST(StepBenchmark, TimesEveryConvolutionOfTheStep) {
  StepOnRandomImages step("supervised");
  OptionSet options;
  describe_small(step, options);
  const StepBenchmark found = step.measure(kSmall);
  double flop = 0;
  for (const ConvolutionTime& time : found.details->convolutions) flop += static_cast<double>(time.calls) * time.flop;
  EXPECT_LE(flop, found.step_flop);
  EXPECT_GT(flop, 0.8 * found.step_flop);
}

TEST(StepBenchmark, StepOnlyOmitsTheDetails) {
  StepOnRandomImages step("supervised");
  OptionSet options;
  describe_small(step, options);
  StepBenchmarkOptions only = kSmall;
  only.step_only = true;
  EXPECT_FALSE(step.measure(only).details);
}

TEST(StepBenchmark, MeasuresALaterStage) {
  const auto measure = [](int64_t stage) {
    StepOnRandomImages step("m1m2");
    OptionSet options;
    describe_small(step, options);
    StepBenchmarkOptions only = kSmall;
    only.images = 1100;  // the second stage also needs images without a label
    only.stage = stage;
    return step.measure(only);
  };
  const StepBenchmark first = measure(1), second = measure(2);
  EXPECT_EQ(first.stage, "m1");
  EXPECT_EQ(second.stage, "m2");
  EXPECT_EQ(second.images_per_step, 2 * first.images_per_step);  // labeled and unlabeled ones
  EXPECT_EQ(second.details->profile.scopes.at(0).name, "m2");
  EXPECT_THROW(measure(3), Error);
}

TEST(StepBenchmark, RejectsUnknownMethodsAndInvalidOptions) {
  EXPECT_THROW(StepOnRandomImages("fr-gam"), Error);
  StepOnRandomImages step("fr-gan");
  EXPECT_ANY_THROW(step.run()) << "before prepare()";
  OptionSet options;
  describe_small(step, options);
  options.set("batch-size", 1, "the test");
  EXPECT_THROW(step.measure(kSmall), Error);
}

}  // namespace
}  // namespace frgan
