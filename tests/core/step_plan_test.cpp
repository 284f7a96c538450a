#include "frgan/core/step_plan.h"

#include <gmock/gmock.h>

#include "../io/temporary_folder.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A run without changes must keep its bits: each progress is the quotient.
TEST(StepPlan, ProgressOfAnUnchangedRunIsTheQuotient) {
  const StepPlan plan(1234);
  for (int64_t step = 0; step <= 1234; ++step) {
    EXPECT_EQ(plan.progress(step), static_cast<double>(step) / static_cast<double>(1234));
  }
}

TEST(StepPlan, EachDecisionDividesTheRestEvenly) {
  StepPlan plan(4000);
  plan.replan(2000, 1000);
  plan.replan(2500, 250);
  EXPECT_EQ(plan.steps(), 2750);
  EXPECT_DOUBLE_EQ(plan.progress(1000), 0.25);
  EXPECT_DOUBLE_EQ(plan.progress(2000), 0.5);
  EXPECT_DOUBLE_EQ(plan.progress(2500), 0.75);
  EXPECT_DOUBLE_EQ(plan.progress(2625), 0.875);
  EXPECT_DOUBLE_EQ(plan.progress(2750), 1);
  EXPECT_EQ(plan.first_step(0), 0);
  EXPECT_EQ(plan.first_step(0.25), 1000);
  EXPECT_EQ(plan.first_step(0.2509), 1004);
  EXPECT_EQ(plan.first_step(0.8745), 2625);
  EXPECT_EQ(plan.first_step(1), 2750);
  plan.replan(2600, 0);  // the time is over
  EXPECT_EQ(plan.steps(), 2600);
  EXPECT_EQ(plan.progress(2600), 1);
  EXPECT_LT(plan.progress(2599), 1);
}

TEST(StepPlan, ProgressNeverDecreases) {
  StepPlan plan(100);
  for (int64_t step = 7; step < 100; step += 13) plan.replan(step, 1 + (step * 37) % 211);
  for (int64_t step = 1; step <= plan.steps(); ++step) EXPECT_GT(plan.progress(step), plan.progress(step - 1)) << step;
  EXPECT_NEAR(plan.progress(plan.steps()), 1, 1e-12);
}

TEST(StepPlan, LaterDecisionsCanBeSeparated) {
  StepPlan plan(100);
  plan.use_threads(0, 2);
  plan.replan(50, 20);
  plan.use_threads(60, 2);  // no change
  plan.use_threads(61, 1);
  EXPECT_THAT(plan.teams_from(61), ElementsAre(StepPlan::Team{61, 1}));
  EXPECT_THAT(plan.teams_from(62), IsEmpty());
  EXPECT_THAT(plan.lengths_from(50), ElementsAre(StepPlan::Length{50, 20}));
}

// A decision after `step` steps affects only the steps that follow.
TEST(StepPlan, ComparesTheStepsThatWereDone) {
  StepPlan plan(100), other(100);
  plan.use_threads(0, 2);
  other.use_threads(0, 2);
  plan.replan(50, 20);
  other.replan(50, 30);
  plan.use_threads(60, 1);
  EXPECT_TRUE(plan.agrees_before(50, other));
  EXPECT_FALSE(plan.agrees_before(51, other));
  other.replan(50, 20);
  EXPECT_TRUE(plan.agrees_before(60, other));
  EXPECT_FALSE(plan.agrees_before(61, other));
}

TEST(StepPlan, JsonRoundTrip) {
  StepPlan plan(4000);
  plan.use_threads(0, 2);
  plan.replan(2000, 1000);
  const Json json = to_json(plan);
  EXPECT_EQ(json.dump(), R"({"format":"frgan plan 1","lengths":[[0,4000],[2000,1000]],"threads":[[0,2]]})");
  EXPECT_EQ(to_json(step_plan_from_json(json, "plan.json")), json);
}

TEST(StepPlan, RejectsInvalidPlans) {
  const auto refusal = [](const char* text) {
    return error_of([&] { step_plan_from_json(parse_json(text, "plan.json"), "plan.json"); });
  };
  EXPECT_THAT(refusal("[]"), StartsWith("plan.json: not a plan of format 'frgan plan 1'"));
  EXPECT_THAT(refusal(R"({"format":"frgan plan 1","lengths":[],"threads":[]})"), HasSubstr("no number of steps"));
  EXPECT_THAT(refusal(R"({"format":"frgan plan 1","lengths":[[5,9]],"threads":[]})"), HasSubstr("no number of steps"));
  for (const char* lengths :
       {"[[0,9],[0,9]]", "[[0,-1]]", "[[0,9],[5]]", "[[0,9,9]]", "[[0,1.5]]", "7", "[[0,9e99]]", "[[0,2000000000]]"}) {
    const std::string text = R"({"format":"frgan plan 1","threads":[],"lengths":)" + std::string(lengths) + "}";
    EXPECT_THAT(refusal(text.c_str()), HasSubstr("not a valid plan")) << lengths;
  }
  EXPECT_THAT(refusal(R"({"format":"frgan plan 1","lengths":[[0,9],[9,5]],"threads":[]})"), HasSubstr("goes on after"));
  EXPECT_THAT(refusal(R"({"format":"frgan plan 1","lengths":[[0,9]],"threads":[[0,0]]})"),
              HasSubstr("not a valid plan"));
}

}  // namespace
}  // namespace frgan
