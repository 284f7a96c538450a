#include "frgan/tables/errors_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "../plans/run_records.h"

namespace frgan {
namespace {

using testing::Contains;
using testing::HasSubstr;

// Two rows that run and one with published values only; sections with 500 and 1,000 labels.
Plan errors_plan() {
  return read_plan(R"(
title = "Errors"
reference = "FR-GAN"
[vary]
labels = [500, 1000]
[budget.a]
steps = 100
note = "Few images."
settings = {width = 0.5}
[[row]]
name = "elsewhere"
published = {500 = [18.44, 4.8]}
[[row]]
name = "FR-GAN"
preset = "fr-gan"
published = {500 = [13.41]}
[[row]]
name = "GAN"
preset = "gan"
)",
                   "small");
}

std::vector<PlannedRun> planned_for(const Plan& plan, int64_t seeds) {
  std::vector<PlannedRun> runs;
  for (int64_t seed = 1; seed <= seeds; ++seed) {
    for (size_t section = 0; section < plan.sections.size(); ++section) {
      for (const size_t row : {1u, 2u}) {
        PlannedRun run;
        run.row = row;
        run.section = section;
        run.seed = seed;
        run.key = plan.rows[row].name + plan.sections[section].value + std::to_string(seed);
        run.name = run.key;
        run.data_digest = "digest";
        run.steps = 100;
        run.steps_per_epoch = 50;
        runs.push_back(run);
      }
    }
  }
  return runs;
}

const TableCell& cell(const Table& table, size_t section, size_t row, const std::string& column) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].heading == column) return table.sections[section].rows[row][i];
  }
  throw std::logic_error("no column " + column);
}

TEST(ErrorsTable, ShowsPublishedAndOwnErrors) {
  const Plan plan = errors_plan();
  std::vector<RunRecord> records = {record_with("a", "FR-GAN5001", rows(100)),
                                    record_with("b", "FR-GAN5002", rows(120)), record_with("c", "GAN5001", rows(140)),
                                    record_with("d", "GAN5002", rows(180))};
  for (RunRecord& record : records) {
    if (!record.key.starts_with("FR-GAN")) continue;
    record.summary["policies"] = Json{"weak", "strong"};
    record.options["strong-augmentation"] = Json{"translate:4", "cutout:0.5"};
  }
  const Table table = errors_table(PlanResults(plan, plan.budgets[0], planned_for(plan, 2), records));
  ASSERT_EQ(table.sections.size(), 1u) << "a section without any value is left out";
  EXPECT_EQ(cell(table, 0, 0, "published error (%)").text, "18.44 ± 4.80");
  EXPECT_EQ(cell(table, 0, 0, "our error (%): mean ± sd (seeds)").text, "–");
  EXPECT_EQ(cell(table, 0, 1, "published error (%)").text, "13.41");
  EXPECT_EQ(cell(table, 0, 1, "our error (%): mean ± sd (seeds)").text, "11.00 ± 1.41 (2)");
  EXPECT_EQ(cell(table, 0, 1, "our median of the last 20 evaluations").text, "11.95 ± 1.41 (2)");
  EXPECT_EQ(cell(table, 0, 2, "our error (%): mean ± sd (seeds)").text, "16.00 ± 2.83 (2)");
  // Differences of 4 and 6 points: 5 -+ 12.706 * sqrt(2) / sqrt(2).
  EXPECT_EQ(cell(table, 0, 2, "difference from FR-GAN: mean [95 % t interval] (pairs)").text,
            "+5.00 [-7.71, +17.71] (2)");
  EXPECT_EQ(cell(table, 0, 2, "McNemar's p, by seed").text, "1: 1.8e-12, 2: 1.7e-18");
  EXPECT_EQ(cell(table, 0, 1, "difference from FR-GAN: mean [95 % t interval] (pairs)").text, "–");
  EXPECT_EQ(cell(table, 0, 2, "hardware").text, "A processor, 1 thread, bf16");
  EXPECT_EQ(cell(table, 0, 2, "commit").text, "0123456789");
  EXPECT_EQ(cell(table, 0, 2, "our augmentation").text, "translate:2");
  EXPECT_EQ(cell(table, 0, 1, "our augmentation").text, "translate:2; strong: translate:4, cutout:0.5");
  EXPECT_EQ(cell(table, 0, 2, "steps").text, "100");
  EXPECT_EQ(cell(table, 0, 2, "TFLOP").text, "12");
  EXPECT_THAT(table.notes, Contains(HasSubstr("on all 1000 test images of the dataset")));
  for (const std::vector<TableCell>& row : table.sections[0].rows) EXPECT_EQ(row.size(), table.columns.size());
}

TEST(ErrorsTable, PairsDifferencesBySeed) {
  const Plan plan = errors_plan();
  const std::vector<RunRecord> records = {record_with("a", "FR-GAN5001", rows(100)),
                                          record_with("d", "GAN5002", rows(180))};
  const Table table = errors_table(PlanResults(plan, plan.budgets[0], planned_for(plan, 2), records));
  EXPECT_EQ(cell(table, 0, 2, "our error (%): mean ± sd (seeds)").text, "18.00 (1)");
  EXPECT_EQ(cell(table, 0, 2, "difference from FR-GAN: mean [95 % t interval] (pairs)").text, "–");
}

TEST(ErrorsTable, LeavesOutResultsOfOtherRecipes) {
  const Plan plan = errors_plan();
  RunRecord other = record_with("old run", "key of another recipe", rows(1));
  ++other.recipe;
  const Table table = errors_table(PlanResults(plan, plan.budgets[0], planned_for(plan, 1), {other}));
  EXPECT_EQ(cell(table, 0, 1, "our error (%): mean ± sd (seeds)").text, "–");
  EXPECT_THAT(table.notes, Contains(HasSubstr("1 result left out: recipe other than")));
}

TEST(ErrorsTable, LeavesOutResultsOfOtherDatasets) {
  const Plan plan = errors_plan();
  RunRecord other = record_with("more images", "key of other data", rows(1));
  other.data_digest = "other data";
  const auto with = [&](std::vector<RunRecord> records) {
    return PlanResults(plan, plan.budgets[0], planned_for(plan, 1), std::move(records));
  };
  EXPECT_THAT(with({other, record_with("a", "FR-GAN5001", rows(1))}).notes(),
              Contains("1 result left out: other dataset."));
  EXPECT_THAT(error_of([&] { with({other}).check_any(); }),
              HasSubstr("small: none of the 1 stored results matches this plan"));
  with({}).check_any();
  with({other, record_with("a", "FR-GAN5001", rows(1))}).check_any();
}

TEST(ErrorsTable, NotesBudgetAndLabelSplits) {
  const Plan plan = errors_plan();
  std::vector<RunRecord> records = {record_with("a", "FR-GAN5001", rows(100)), record_with("b", "GAN5001", rows(140))};
  const auto notes = [&] {
    return errors_table(PlanResults(plan, plan.budgets[0], planned_for(plan, 1), records)).notes;
  };
  EXPECT_THAT(notes(), Contains(HasSubstr("the same for all rows")));
  EXPECT_THAT(notes(), Contains("Budget a: 100 steps, 2 epochs; overrides of the presets: width = 0.5."));
  EXPECT_THAT(notes(), Contains("Few images."));
  records[1].summary["split_digest"] = "another";
  EXPECT_THAT(notes(), Contains(HasSubstr("the label splits of the rows differ")));
}

TEST(ErrorsTable, SaysThatNothingIsFinished) {
  const Plan plan = errors_plan();
  const Table table = errors_table(PlanResults(plan, plan.budgets[0], planned_for(plan, 1), {}));
  EXPECT_EQ(table.notes.front(), "No run of this plan is finished.");
  EXPECT_THAT(table.notes, testing::Not(Contains(HasSubstr("test images"))));
}

// Two rows of a plan may share a run.
TEST(ErrorsTable, DoesNotCompareARunWithItself) {
  const Plan plan = errors_plan();
  std::vector<PlannedRun> runs = planned_for(plan, 1);
  for (PlannedRun& run : runs) run.key = "the same";
  const Table table = errors_table(PlanResults(plan, plan.budgets[0], runs, {record_with("a", "the same", rows(100))}));
  EXPECT_EQ(cell(table, 0, 2, "our error (%): mean ± sd (seeds)").text, "10.00 (1)");
  EXPECT_EQ(cell(table, 0, 2, "difference from FR-GAN: mean [95 % t interval] (pairs)").text, "–");
}

TEST(ErrorsTable, ComparesNoiseLevelsWithTheFirst) {
  const Table table = errors_table(noise_results({{100, 100}, {110, 120}}));
  EXPECT_EQ(table.title, "small (as test errors, %)");
  const std::string column = "difference from the same row at label-noise 0.0: mean [95 % t interval] (pairs)";
  EXPECT_EQ(cell(table, 0, 1, column).text, "–");
  EXPECT_EQ(cell(table, 1, 0, column).text, "–") << "no finished run";
  EXPECT_EQ(cell(table, 1, 1, column).text, "+1.50 [-4.85, +7.85] (2)");  // 1 and 2
  EXPECT_EQ(cell(table, 1, 1, "McNemar's p against label-noise 0.0, by seed").text, "1: 0.002, 2: 1.9e-06");
  for (const TableSection& section : table.sections) {
    for (const std::vector<TableCell>& row : section.rows) EXPECT_EQ(row.size(), table.columns.size());
  }
}

}  // namespace
}  // namespace frgan
