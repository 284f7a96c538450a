#include "frgan/tables/scores_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "../plans/run_records.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using testing::Contains;
using testing::HasSubstr;

Plan scores_plan() {
  return read_plan(R"(
title = "Scores"
show = "scores"
reference = "FR-GAN"
[budget.a]
steps = 100
[[row]]
name = "real, train"
published = {all = [3.24, 0.17]}
[[row]]
name = "FR-GAN"
preset = "fr-gan"
[[row]]
name = "GAN"
preset = "gan"
)",
                   "small");
}

PlanResults results_of(int64_t seeds, bool without_real_row = false) {
  std::vector<PlannedRun> runs;
  std::vector<RunRecord> records;
  for (int64_t seed = 1; seed <= seeds; ++seed) {
    for (const size_t row : {1u, 2u}) {
      PlannedRun run;
      run.row = row;
      run.seed = seed;
      run.key = run.name = (row == 1 ? "fr-gan" : "gan") + std::to_string(seed);
      records.push_back(record_with(run.name, run.key, rows(10)));
      runs.push_back(std::move(run));
    }
  }
  Plan plan = scores_plan();
  if (without_real_row) plan.rows[0].name = "elsewhere";
  return {plan, plan.budgets[0], std::move(runs), std::move(records)};
}

ScoredSet set_of(const std::string& name, double score, const std::string& digest = "digest", int64_t images = 50'000) {
  Json scores = {{"images", images},         {"splits", 10},
                 {"inception_score", score}, {"inception_score_std", 0.05},
                 {"histogram", {3, 1}},      {"scorer", "a scorer"}};
  if (name.starts_with("real")) scores["ceiling"] = 9.36;
  return {name, name.starts_with("real") ? "digest" : name, digest, "bf16", scores};
}

const TableCell& cell(const Table& table, size_t row, const std::string& column) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].heading.starts_with(column)) return table.sections[0].rows[row][i];
  }
  throw std::logic_error("no column " + column);
}

TEST(ScoresTable, ShowsDeviationsAndPairedDifferences) {
  ScoredSet fr_gan2 = set_of("fr-gan2", 3.1);
  fr_gan2.scores["histogram"] = {2, 2};
  fr_gan2.scores["histogram_divergence"] = nullptr;  // infinite
  fr_gan2.scores["precision_recall_images"] = {1000, 2000};
  const Table table =
      scores_table(results_of(2), {set_of("real-train", 8.0), set_of("real-test", 7.8), set_of("fr-gan1", 2.9), fr_gan2,
                                   set_of("gan1", 2.5), set_of("gan2", 2.6)});
  ASSERT_EQ(table.sections[0].rows.size(), 4u);
  EXPECT_EQ(cell(table, 0, "published").text, "3.24 ± 0.17");
  EXPECT_EQ(cell(table, 0, "Inception Score, mean").text, "8.000");
  EXPECT_EQ(cell(table, 1, "Inception Score, mean").text, "3.000 ± 0.141");
  EXPECT_EQ(cell(table, 1, "sd over splits").text, "0.050 ± 0.000");
  EXPECT_EQ(cell(table, 1, "class histogram").text, "62.5 37.5") << "over both seeds";
  // Differences of -0.4 and -0.5: -0.45 -+ 12.706 * 0.0707 / sqrt(2).
  EXPECT_EQ(cell(table, 2, "Inception Score difference").text, "-0.450 [-1.085, +0.185] (2)");
  EXPECT_EQ(cell(table, 1, "Inception Score difference").text, "–");
  EXPECT_EQ(cell(table, 1, "Fréchet").text, "–") << "missing scores are shown as a dash";
  EXPECT_EQ(cell(table, 3, "images from").text, "real, test");
  EXPECT_THAT(table.notes, Contains(HasSubstr("SHA-256 digest")));
  EXPECT_THAT(table.notes, Contains(HasSubstr("9.36")));
  EXPECT_EQ(cell(table, 1, "class KL").text, "∞");
  EXPECT_THAT(table.notes, Contains(HasSubstr("samples: 1000 generated against 2000 real images.")));
  EXPECT_THAT(csv_of(table), HasSubstr("scorer_digest"));
  for (const std::vector<TableCell>& row : table.sections[0].rows) EXPECT_EQ(row.size(), table.columns.size());
}

TEST(ScoresTable, LeavesOutOtherScorersAndImageCounts) {
  const Table table =
      scores_table(results_of(2), {set_of("real-train", 8.0), set_of("fr-gan1", 2.9), set_of("fr-gan2", 3.1, "another"),
                                   set_of("gan1", 2.5, "digest", 1000), set_of("gan2", 2.6)});
  EXPECT_EQ(cell(table, 1, "Inception Score, mean").text, "2.900");
  EXPECT_EQ(cell(table, 2, "Inception Score, mean").text, "2.600");
  EXPECT_THAT(table.notes, Contains(HasSubstr("number of images or splits: fr-gan2, gan1.")));
}

TEST(ScoresTable, ShowsRealImagesOfTheSameDatasetOnly) {
  const Table table = scores_table(results_of(1, true), {set_of("real-train", 8.0), set_of("fr-gan1", 2.9)});
  EXPECT_EQ(cell(table, 0, "Inception Score, mean").text, "–");
  EXPECT_EQ(cell(table, 3, "images from").text, "real, train");
  EXPECT_EQ(cell(table, 3, "Inception Score, mean").text, "8.000");
  ScoredSet elsewhere = set_of("real-train", 8.0);
  elsewhere.key = "other data";
  EXPECT_EQ(cell(scores_table(results_of(1), {elsewhere, set_of("fr-gan1", 2.9)}), 0, "Inception Score, mean").text,
            "–");
}

TEST(ScoresTable, IsCompleteIfOneScorerScoredAllFinishedRuns) {
  std::vector<ScoredSet> sets = {set_of("real-train", 8.0), set_of("fr-gan1", 2.9)};
  EXPECT_FALSE(is_scored_whole(results_of(1), sets, 50'000));
  sets.push_back(set_of("gan1", 2.5));
  EXPECT_TRUE(is_scored_whole(results_of(1), sets, 50'000));
  EXPECT_FALSE(is_scored_whole(results_of(1), sets, 1000));
  EXPECT_FALSE(is_scored_whole(results_of(2), sets, 50'000));
  sets.back().scorer_digest = "another";
  EXPECT_FALSE(is_scored_whole(results_of(1), sets, 50'000));
}

TEST(ScoredSets, ReportDamagedFiles) {
  const TemporaryFolder folder;
  write_scored_set(folder.path(), set_of("fr-gan1", 2.9));
  for (const auto& [text, problem] :
       {std::pair("{\"format\": \"frgan scored set 1\"}", "x.json: incomplete scored set"),
        std::pair("{", "x.json: not JSON, or truncated")}) {
    write_file_safely(folder.path() / "x.json", text);
    std::vector<std::string> damaged;
    const auto sets = read_scored_sets(folder.path(), [&](const std::string& damage) { damaged.push_back(damage); });
    EXPECT_EQ(sets.size(), 1U) << "the other set is intact";
    ASSERT_EQ(damaged.size(), 1U);
    EXPECT_THAT(damaged.front(), HasSubstr(problem));
    EXPECT_EQ(read_scored_sets(folder.path()).size(), 1U);
    EXPECT_FALSE(find_scored_set(folder.path() / "x.json"));
    EXPECT_THAT(error_of([&] { read_scored_set(folder.path() / "x.json"); }), HasSubstr(problem));
  }
  EXPECT_TRUE(find_scored_set(folder.path() / "fr-gan1.json"));
  EXPECT_FALSE(find_scored_set(folder.path() / "absent.json"));
}

}  // namespace
}  // namespace frgan
