// What a plan's runs have come to: the records of them, found by their keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/experiments/plan.h"
#include "frgan/experiments/planned_runs.h"
#include "frgan/experiments/run_record.h"

namespace frgan {

class PlanResults {
 public:
  // Records whose key no run has are left out.
  PlanResults(const Plan& plan, const Budget& budget, std::vector<PlannedRun> runs, std::vector<RunRecord> records);

  const Plan& plan() const { return plan_; }
  int64_t seeds() const { return seeds_; }  // the highest
  // Of a row in a section; nullptr where it is not done.
  const RunRecord* find(size_t row, size_t section, int64_t seed) const;
  // Of all seeds that are done.
  std::vector<const RunRecord*> of(size_t row, size_t section) const;
  const std::vector<PlannedRun>& runs() const { return runs_; }
  const RunRecord* record_of(const PlannedRun& run) const;
  // Of the data that the runs were tested on, where one is done; empty otherwise.
  std::string data_digest() const;
  // Throws an Error where there are records and none is of these runs: what they are shown in is not to be replaced.
  void check_any() const;
  // Whether all rows of a section and a seed were trained on the same choice of images and labels.
  bool same_splits() const;
  // Sentences for below a table: the budget and its settings, how many records of another recipe or of other data were
  // left out, and what the plan says of its rows.
  std::vector<std::string> notes() const;

 private:
  Plan plan_;
  Budget budget_;
  std::vector<PlannedRun> runs_;
  std::vector<RunRecord> records_;
  int64_t seeds_ = 0;
};

}  // namespace frgan
