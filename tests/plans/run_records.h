// Synthetic run records for tests of tables and figures.
#pragma once

#include <string>
#include <vector>

#include "frgan/methods/methods.h"
#include "frgan/plans/plan_results.h"

namespace frgan {

// A record with `images` test images. Those in `wrong` are misclassified as class 1. Of the 30 evaluations, the last
// has these errors, and each earlier one has one error more than the next.
inline RunRecord record_with(const std::string& name, const std::string& key, const std::vector<int64_t>& wrong,
                             int64_t images = 1000) {
  RunRecord record;
  record.name = name;
  record.key = key;
  record.recipe = find_method("fr-gan")->recipe;
  record.data_digest = "digest";
  record.options = {{"method", "fr-gan"}, {"seed", 1}, {"augmentation", {"translate:2"}}};
  record.summary = {{"test", {{"images", images}}},
                    {"steps", 100},
                    {"wall_seconds", 60.0},
                    {"processor", "A processor"},
                    {"threads", 1},
                    {"precision", "bf16"},
                    {"device", "cpu"},
                    {"commit", "0123456789abcdef"}};
  for (int64_t evaluation = 1; evaluation <= 30; ++evaluation) {
    const auto errors = static_cast<double>(std::ssize(wrong) + 30 - evaluation);
    record.evaluations.emplace_back(10 * evaluation, errors / static_cast<double>(images));
  }
  for (const int64_t row : wrong) record.mistakes.emplace_back(row, 1);
  record.tflop = 12;
  record.images_seen = 8000;
  record.parameters = {{"discriminator", 793684}};
  return record;
}

// The indices first, first + 1, ..., first + count - 1.
inline std::vector<int64_t> rows(int64_t count, int64_t first = 0) {
  std::vector<int64_t> list;
  for (int64_t i = 0; i < count; ++i) list.push_back(first + i);
  return list;
}

// Results of a plan "small" with rows GAN and FR-GAN, label noise 0 and 0.5, and two seeds. Only FR-GAN's runs are
// finished. `wrong` has their numbers of misclassified images (of 1,000), by section and seed. Empty: no run is
// finished.
inline PlanResults noise_results(const std::vector<std::vector<int64_t>>& wrong) {
  const Plan plan = read_plan(R"(
show = "noise"
reference = "FR-GAN"
[vary]
label-noise = [0.0, 0.5]
[budget.a]
steps = 300
[[row]]
name = "GAN"
preset = "gan"
[[row]]
name = "FR-GAN"
preset = "fr-gan"
)",
                              "small");
  std::vector<PlannedRun> runs;
  std::vector<RunRecord> records;
  for (const size_t section : {0u, 1u}) {
    for (const size_t seed : {1u, 2u}) {
      PlannedRun run;
      run.row = 1;
      run.section = section;
      run.seed = static_cast<int64_t>(seed);
      run.key = run.name = plan.sections[section].value + std::to_string(seed);
      run.options = {{"method", "fr-gan"}, {"label-noise-kind", "wrong"}};
      if (!wrong.empty()) records.push_back(record_with(run.name, run.key, rows(wrong[section][seed - 1])));
      runs.push_back(std::move(run));
    }
  }
  return {plan, plan.budgets[0], std::move(runs), std::move(records)};
}

}  // namespace frgan
