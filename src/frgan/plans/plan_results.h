// The results of a plan: its runs matched with stored records by key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/plans/plan.h"
#include "frgan/plans/planned_runs.h"
#include "frgan/plans/run_record.h"

namespace frgan {

class PlanResults {
 public:
  // Ignores records whose key matches no run.
  PlanResults(const Plan& plan, const Budget& budget, std::vector<PlannedRun> runs, std::vector<RunRecord> records);

  const Plan& plan() const { return plan_; }
  int64_t seeds() const { return seeds_; }  // the highest seed; seeds count from 1
  // The record of one run of a row in a section; nullptr if it is not finished.
  const RunRecord* find(size_t row, size_t section, int64_t seed) const;
  // The records of all finished seeds of a row in a section, by seed.
  std::vector<const RunRecord*> of(size_t row, size_t section) const;
  const std::vector<PlannedRun>& runs() const { return runs_; }
  const RunRecord* record_of(const PlannedRun& run) const;  // nullptr if it is not finished
  // Digest of the dataset of the first finished run; empty if none is finished.
  std::string data_digest() const;
  // Throws an Error if there are records but none matches these runs, so that callers do not overwrite existing tables.
  void check_any() const;
  // Whether, for each section and seed, all rows used the same label split.
  bool same_splits() const;
  // Notes for below a table: the budget and its options, how many records were left out because of another recipe or
  // dataset, the sources of published values, and the notes of rows.
  std::vector<std::string> notes() const;

 private:
  Plan plan_;
  Budget budget_;
  std::vector<PlannedRun> runs_;
  std::vector<RunRecord> records_;
  int64_t seeds_ = 0;
};

}  // namespace frgan
