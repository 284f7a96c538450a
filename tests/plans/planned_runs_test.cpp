#include "frgan/plans/planned_runs.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/core/error.h"
#include "frgan/plans/plan_results.h"
#include "frgan/settings/run_settings.h"

namespace frgan {
namespace {

// The records of figure4 with the budget "hour", which is given in epochs: three rows, four noise levels, two seeds.
std::vector<RunRecord> noise_records() {
  return read_run_records(std::filesystem::path(FRGAN_SOURCE_DIR) / "results/hour/runs");
}

PlanChoice hour(int64_t steps = 0) {
  return {.budget = "hour", .steps = steps, .seeds = 0, .rows = {}, .where = {}, .data_dir = {}};
}

// The record that the same run has on other data.
RunRecord on_other_data(RunRecord record) {
  RunRequest request;
  declare_run(request, record.options.at("method").get<std::string>());
  request.options.set_values(record.options, "the record");
  record.data_digest = "other";
  record.key = run_key(request.options, record.data_digest, record.recipe);
  return record;
}

TEST(PlannedRuns, RecordsReplaceTheDataset) {
  const std::vector<RunRecord> records = noise_records();
  ASSERT_EQ(records.size(), 24u);
  const auto runs = planned_runs(read_paper_plan("figure4"), hour(), records);
  ASSERT_TRUE(runs.has_value());
  ASSERT_EQ(runs->size(), records.size());
  for (const PlannedRun& run : *runs) {
    const auto record = std::find_if(records.begin(), records.end(), [&](const auto& r) { return r.name == run.name; });
    ASSERT_NE(record, records.end()) << run.name;
    EXPECT_EQ(run.key, record->key);
    EXPECT_EQ(run.data_digest, record->data_digest);
    EXPECT_EQ(run.steps, 18'720) << "60 epochs of 312 steps";
    EXPECT_EQ(run.steps_per_epoch, record->steps_per_epoch);
    EXPECT_NEAR(run.tflop / record->tflop, 1, 1e-12);
    EXPECT_EQ(run.images_per_step * run.steps, record->images_seen);
    EXPECT_EQ(run.parameters, record->parameters);
  }
}

TEST(PlannedRuns, ChoiceAppliesToRecords) {
  PlanChoice choice = hour();
  choice.rows = {"fr-gan"};
  choice.where = {"label-noise=0.5"};
  choice.seeds = 1;
  const auto runs = planned_runs(read_paper_plan("figure4"), choice, noise_records());
  ASSERT_TRUE(runs.has_value());
  ASSERT_EQ(runs->size(), 1u);
  EXPECT_EQ(runs->front().options.at("label-noise"), 0.5);
}

// A record may have any seed, and tables show all seeds up to the largest one.
TEST(PlannedRuns, LimitsTheNumberOfRuns) {
  PlanChoice choice = hour();
  choice.seeds = INT64_MAX;
  try {
    planned_runs(read_paper_plan("figure4"), choice, noise_records());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("seeds; at most 100000 runs are allowed"));
  }
}

TEST(PlannedRuns, RunsWithoutRecordShareTheDigest) {
  std::vector<RunRecord> records = noise_records();
  const RunRecord only = records.front();
  records = {only};
  const auto runs = planned_runs(read_paper_plan("figure4"), hour(only.options.at("steps").get<int64_t>()), records);
  ASSERT_TRUE(runs.has_value());
  EXPECT_EQ(runs->size(), 24u);
  int64_t known = 0;
  for (const PlannedRun& run : *runs) {
    EXPECT_EQ(run.data_digest, only.data_digest);
    known += run.steps_per_epoch > 0 ? 1 : 0;
  }
  EXPECT_EQ(known, 2) << "both seeds of the row and section that have a record";
}

TEST(PlannedRuns, RecordsMustDetermineAllRuns) {
  const Plan plan = read_paper_plan("figure4");
  EXPECT_FALSE(planned_runs(plan, hour(), std::vector<RunRecord>()).has_value()) << "unknown dataset";
  std::vector<RunRecord> records = noise_records();
  EXPECT_FALSE(planned_runs(plan, hour(), {records.front()}).has_value()) << "length in epochs of unknown steps";
  records.push_back(on_other_data(records.front()));
  EXPECT_FALSE(planned_runs(plan, hour(), records).has_value()) << "two datasets";
}

TEST(PlannedRuns, NotesUseAKnownLengthOfAnEpoch) {
  const std::vector<RunRecord> records = noise_records();
  const Plan plan = read_paper_plan("figure4");
  const int64_t steps = records.back().options.at("steps").get<int64_t>();
  auto runs = planned_runs(plan, hour(steps), {records.back()});
  ASSERT_TRUE(runs.has_value());
  ASSERT_EQ(runs->front().steps_per_epoch, 0);
  const PlanResults results(plan, plan.budget("hour"), *std::move(runs), {records.back()});
  EXPECT_THAT(results.notes(), testing::Contains(testing::StartsWith("Budget hour: 18720 steps, 60 epochs")));
}

}  // namespace
}  // namespace frgan
