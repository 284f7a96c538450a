#include "frgan/experiments/plan_results.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/train/recipe.h"

namespace frgan {

PlanResults::PlanResults(const Plan& plan, std::vector<PlannedRun> runs, std::vector<ResultRecord> records)
    : plan_(plan), runs_(std::move(runs)), records_(std::move(records)) {
  for (const PlannedRun& run : runs_) seeds_ = std::max(seeds_, run.seed);
  std::vector<std::string> others;
  for (const ResultRecord& record : records_) {
    if (record.recipe != kRecipe) others.push_back(record.name);
  }
  if (others.empty()) return;
  notes_.push_back(
      fmt::format("Left out, for they were made by another recipe than {}: {}.", kRecipe, fmt::join(others, ", ")));
}

const ResultRecord* PlanResults::record_of(const PlannedRun& run) const {
  const auto found =
      std::find_if(records_.begin(), records_.end(), [&](const ResultRecord& record) { return record.key == run.key; });
  return found == records_.end() ? nullptr : &*found;
}

const ResultRecord* PlanResults::find(size_t row, size_t section, int64_t seed) const {
  for (const PlannedRun& run : runs_) {
    if (run.row == row && run.section == section && run.seed == seed) return record_of(run);
  }
  return nullptr;
}

std::vector<const ResultRecord*> PlanResults::of(size_t row, size_t section) const {
  std::vector<const ResultRecord*> records;
  for (int64_t seed = 1; seed <= seeds_; ++seed) {
    if (const ResultRecord* record = find(row, section, seed)) records.push_back(record);
  }
  return records;
}

}  // namespace frgan
