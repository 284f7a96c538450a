#include "frgan/train/step_budget.h"

#include <vector>

#include <gmock/gmock.h>

#include "../io/temporary_folder.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

RunOptions with_time(const std::string& time_budget) {
  RunOptions options;
  options.time_budget = time_budget;
  return options;
}

TEST(StepBudget, EvaluationsTakeAtMostATenthOfTheTimeByDefault) {
  // Two evaluations of 4 s fit into a tenth of 100 s; 92 s remain for steps.
  const StepBudget budget = steps_in_time(with_time("100s"), /*step_seconds=*/0.5, /*evaluation_seconds=*/4);
  EXPECT_EQ(budget.steps, 184);
  EXPECT_EQ(budget.evaluate_every, 92);
}

TEST(StepBudget, IsAllStepsWithoutEvaluationImages) {
  const StepBudget budget = steps_in_time(with_time("100s"), 0.5, 0);
  EXPECT_EQ(budget.steps, 200);
  EXPECT_EQ(budget.evaluate_every, 0);
}

TEST(StepBudget, RequestedEvaluationsReduceTheSteps) {
  RunOptions options = with_time("100s");
  options.evaluate_every = 2;
  EXPECT_EQ(steps_in_time(options, 1, 4).steps, 32);  // (100 - 4) / (1 + 4 / 2)
  options.evaluations = 10;
  EXPECT_EQ(steps_in_time(options, 1, 4).steps, 60);
}

TEST(StepBudget, RejectsTooShortAndTooLongRuns) {
  EXPECT_THAT(error_of([] { steps_in_time(with_time("4s"), 1, 4); }),
              StartsWith("--time-budget 4s is too short: one step takes 1 s and one evaluation 4 s"));
  EXPECT_THAT(error_of([] { rounded_steps(2e9); }), HasSubstr("at most 1000000000 are allowed"));
  EXPECT_EQ(rounded_steps(0.2), 1);
}

TEST(StepBudget, TellsWhatIsDue) {
  RunOptions options;
  options.steps = 40;
  options.log_every = 15;
  options.evaluate_every = 0;  // ten times
  std::vector<int64_t> logged, sampled, evaluated;
  for (int64_t step = 1; step <= options.steps; ++step) {
    if (log_due(options, step)) logged.push_back(step);
    if (samples_due(options, step) && step <= 8) sampled.push_back(step);
    if (evaluation_due(options, step) && step > 32) evaluated.push_back(step);
  }
  EXPECT_THAT(logged, ElementsAre(15, 30, 40));
  EXPECT_THAT(sampled, ElementsAre(4, 8));
  EXPECT_THAT(evaluated, ElementsAre(36, 40));
}

}  // namespace
}  // namespace frgan
