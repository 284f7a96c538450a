// The test errors of a plan's runs as a table: published and ours, side by side, with what is needed to judge them.
#pragma once

#include <span>
#include <vector>

#include "frgan/experiments/plan.h"
#include "frgan/experiments/planned_runs.h"
#include "frgan/experiments/run_record.h"
#include "frgan/experiments/table.h"

namespace frgan {

// Records and runs of one plan, found by their keys.
class PlanResults {
 public:
  // Records whose key no run has are left out; those of them that were made by another recipe or on other data are
  // counted, for a note.
  PlanResults(const Plan& plan, std::vector<PlannedRun> runs, const std::vector<RunRecord>& records);

  const Plan& plan() const { return *plan_; }
  // Of a row in a section, by seed; nullptr where there is none.
  const RunRecord* find(size_t row, size_t section, int64_t seed) const;
  std::vector<const RunRecord*> of(size_t row, size_t section) const;
  int64_t seeds() const { return seeds_; }
  // Sentences about what was left out.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Entry {
    PlannedRun run;
    const RunRecord* record;
  };
  const Plan* plan_;
  std::vector<Entry> entries_;
  int64_t seeds_ = 0;
  std::vector<std::string> notes_;
};

// Mean and standard deviation over seeds of the error of the last weights, and of the median of the last 20 evaluations;
// differences from the plan's reference row on the same seeds with their 95 % t interval, and McNemar's p for each seed.
Table errors_table(const PlanResults& results);

}  // namespace frgan
