#include "frgan/train/step_budget.h"

#include <vector>

#include <gmock/gmock.h>

#include "../io/temporary_folder.h"
#include "frgan/train/run_pace.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(StepBudget, EvaluationsTakeAtMostATenthOfTheTimeByDefault) {
  EXPECT_EQ(default_evaluations(100, {.step = 0.5, .evaluation = 4}), 2);
  EXPECT_EQ(default_evaluations(100, {.step = 0.5, .evaluation = 0.1}), 10);
  EXPECT_EQ(default_evaluations(100, {.step = 0.5, .evaluation = 60}), 1);
  EXPECT_EQ(default_evaluations(100, {.step = 0.5}), 10);
}

TEST(StepBudget, TimeIsForStepsEvaluationsAndTheEnd) {
  RunOptions options;
  EXPECT_EQ(steps_in_time(options, 100, {.step = 0.5}, 10), 200);
  EXPECT_EQ(steps_in_time(options, 100, {.step = 0.5, .evaluation = 4}, 2), 184);
  EXPECT_EQ(steps_in_time(options, 100, {.step = 0.5, .evaluation = 4, .end = 10}, 2), 164);
  options.evaluate_every = 2;
  EXPECT_EQ(steps_in_time(options, 100, {.step = 1, .evaluation = 4}, 10), 32);  // (100 - 4) / (1 + 4 / 2)
  options.evaluations = 10;
  EXPECT_EQ(steps_in_time(options, 100, {.step = 1, .evaluation = 4}, 10), 60);
  EXPECT_EQ(steps_in_time(options, 4, {.step = 1, .evaluation = 4}, 1), 0);
  EXPECT_EQ(steps_in_time(options, -5, {.step = 1}, 1), 0);
}

TEST(StepBudget, RejectsTooLongRuns) {
  EXPECT_THAT(error_of([] { rounded_steps(2e9); }), HasSubstr("at most 1000000000 are allowed"));
  EXPECT_EQ(rounded_steps(0.2), 1);
}

TEST(StepBudget, TellsWhatIsDue) {
  RunOptions options;
  options.log_every = 15;
  const StepPlan plan(40);
  std::vector<int64_t> logged, sampled, evaluated;
  for (int64_t step = 1; step <= plan.steps(); ++step) {
    const RunPosition position = position_after(plan, step);
    if (log_due(options, position)) logged.push_back(step);
    if (samples_due(options, position) && step <= 8) sampled.push_back(step);
    if (evaluation_due(options, position, 10) && step > 32) evaluated.push_back(step);
    EXPECT_TRUE(replan_due(position));
  }
  EXPECT_THAT(logged, ElementsAre(15, 30, 40));
  EXPECT_THAT(sampled, ElementsAre(4, 8));
  EXPECT_THAT(evaluated, ElementsAre(36, 40));
}

// After a change of the length, the rest of the evaluations is spread over the rest of the run.
TEST(StepBudget, FollowsAChangedLength) {
  StepPlan plan(100);
  plan.replan(50, 500);
  RunOptions options;
  std::vector<int64_t> evaluated;
  for (int64_t step = 1; step <= plan.steps(); ++step) {
    const RunPosition position = position_after(plan, step);
    if (!evaluation_due(options, position, 4)) continue;
    evaluated.push_back(step);
    EXPECT_EQ(evaluations_left(options, plan, step, 4), 4 - std::ssize(evaluated));
  }
  EXPECT_THAT(evaluated, ElementsAre(25, 50, 300, 550));
  EXPECT_EQ(evaluations_left(options, plan, 60, 4), 2);
  options.evaluate_every = 100;
  EXPECT_EQ(evaluations_left(options, plan, 60, 4), 6);  // after 100, 200, 300, 400, 500 and the last step
  EXPECT_EQ(evaluations_left(options, plan, 500, 4), 1);
  EXPECT_EQ(evaluations_left(options, plan, 550, 4), 0);
}

// A run that follows a recorded plan knows its final length before it gets there.
TEST(RunPace, TheTimeThatIsLeftIsForTheRecordedLength) {
  RunOptions options;
  options.evaluate_every = 10;
  options.plan = "plan.json";
  StepPlan plan, recorded(100);
  recorded.replan(50, 150);
  RunPace pace(options, plan, /*on_cpu=*/false, Stopwatch());
  pace.follow(recorded, 0);
  pace.fix(0, /*epoch_steps=*/10, {});
  pace.set_evaluation_seconds(2);
  pace.prepare(0);
  EXPECT_EQ(pace.planned_steps(), 200);
  EXPECT_EQ(pace.evaluations_left(0), 20);
  EXPECT_EQ(pace.seconds_left(0, 0.5), 200 * 0.5 + 20 * 2);
  pace.prepare(50);
  EXPECT_EQ(pace.evaluations_left(50), 15);
  EXPECT_EQ(pace.seconds_left(50, 0.5), 150 * 0.5 + 15 * 2);
}

TEST(StepBudget, ComparesTheCostsOfStages) {
  const std::vector<StageCost> stages{{0.5, 1}, {0.25, 2}, {0.25, 4}};  // mean 2
  EXPECT_DOUBLE_EQ(relative_step_cost(stages, 0, 1), 1);
  EXPECT_DOUBLE_EQ(relative_step_cost(stages, 0, 0.5), 0.5);
  EXPECT_DOUBLE_EQ(relative_step_cost(stages, 0.25, 0.75), 1.5 / 2);
  EXPECT_DOUBLE_EQ(relative_step_cost(stages, 0.75, 1), 2);
  EXPECT_EQ(relative_step_cost(stages, 1, 1), 1);
  EXPECT_EQ(relative_step_cost({}, 0, 0.5), 1);
  EXPECT_EQ(relative_step_cost(std::vector<StageCost>{{1, 0.3}}, 0.1, 0.7), 1);
}

// The steps of the second stage are three times as expensive. A measurement of the first one changes neither the
// length of the run nor the time that is left.
TEST(RunPace, APlanForATimeBudgetCountsTheCostsOfAllStages) {
  RunOptions options;
  options.time_budget = "1000s";
  StepPlan plan;
  RunPace pace(options, plan, /*on_cpu=*/false, Stopwatch());
  pace.set_stage_costs({{0.5, 1}, {0.5, 3}});
  pace.fix(0, /*epoch_steps=*/10, {.step = [](int) { return 2.0; }, .evaluation = [] { return 0.0; }});
  EXPECT_NEAR(static_cast<double>(pace.planned_steps()), 500, 2);
  pace.replan(0, 0);
  pace.resume(/*used_seconds=*/100);
  pace.replan(100, /*seconds=*/100);
  EXPECT_NEAR(static_cast<double>(pace.planned_steps()), 500, 4);
  pace.resume(250 + 150);
  pace.replan(300, 250 + 150);
  EXPECT_NEAR(static_cast<double>(pace.planned_steps()), 500, 6);
}

// Also if the recorded run became shorter: the steps of the second stage cost three times as much.
TEST(RunPace, TheTimeOfARecordedRunCountsAllStages) {
  RunOptions options;
  options.plan = "plan.json";
  StepPlan plan, recorded(200);
  recorded.replan(50, 50);
  RunPace pace(options, plan, /*on_cpu=*/false, Stopwatch());
  pace.follow(recorded, 0);
  pace.fix(0, /*epoch_steps=*/10, {});
  pace.set_stage_costs({{0.5, 1}, {0.5, 3}});
  pace.prepare(0);
  EXPECT_EQ(pace.planned_steps(), 100);
  EXPECT_DOUBLE_EQ(pace.relative_cost(0, 100), 1);
}

// The classifier trains in the second half of the run only.
TEST(RunPace, EvaluationsOfAnUntrainedClassifierAreNotCounted) {
  RunOptions options;
  options.steps = 100;
  options.evaluate_every = 10;
  StepPlan plan;
  RunPace pace(options, plan, /*on_cpu=*/false, Stopwatch());
  pace.set_evaluations_begin(0.5);
  pace.fix(0, /*epoch_steps=*/10, {});
  EXPECT_EQ(pace.evaluations_left(0), 5);
  EXPECT_EQ(pace.evaluations_left(50), 5);
  EXPECT_EQ(pace.evaluations_left(75), 3);
}

TEST(StepBudget, SumsTheTimeThatIsLeft) {
  EXPECT_DOUBLE_EQ(seconds_left({.step = 0.5, .evaluation = 3, .end = 1}, 10, 2), 12);
}

}  // namespace
}  // namespace frgan
