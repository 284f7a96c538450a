// What a plan's runs have come to: the records of them, found by their keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/experiments/plan.h"
#include "frgan/experiments/planned_runs.h"
#include "frgan/experiments/result_record.h"

namespace frgan {

class PlanResults {
 public:
  // Records whose key no run has are left out; of those that another recipe made there is a note.
  PlanResults(const Plan& plan, std::vector<PlannedRun> runs, std::vector<ResultRecord> records);

  const Plan& plan() const { return plan_; }
  int64_t seeds() const { return seeds_; }  // the highest
  // Of a row in a section; nullptr where it is not done.
  const ResultRecord* find(size_t row, size_t section, int64_t seed) const;
  // Of all seeds that are done.
  std::vector<const ResultRecord*> of(size_t row, size_t section) const;
  const std::vector<PlannedRun>& runs() const { return runs_; }
  const ResultRecord* record_of(const PlannedRun& run) const;
  // Sentences about what was left out.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Plan plan_;
  std::vector<PlannedRun> runs_;
  std::vector<ResultRecord> records_;
  int64_t seeds_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace frgan
