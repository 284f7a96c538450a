// Runs the unfinished runs of a plan and stores the records of finished runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "frgan/plans/planned_runs.h"
#include "frgan/plans/run_record.h"

namespace frgan {

// kDone: has an intact record with its key. kBegun: has a checkpoint but no such record. kNew: neither.
enum class RunState { kNew, kBegun, kDone };

struct PlanExecution {
  std::filesystem::path runs;     // run folders with checkpoints: RUNS/NAME
  std::filesystem::path records;  // records of finished runs: RECORDS/NAME.json
  int64_t jobs = 1;               // concurrent runs
  int64_t threads = 1;            // per run; a single run measures which number up to all cores is fastest
  std::string device = "auto";

  std::filesystem::path folder_of(const PlannedRun& run) const;
  RunState state_of(const PlannedRun& run) const;
  // Arguments of frgan that start the run, or resume it if it has a checkpoint.
  std::vector<std::string> arguments_of(const PlannedRun& run) const;
};

struct FailedRun {
  std::string name;
  int code = 0;
  std::string message;  // the last line of its log
  std::filesystem::path log;
};

// For each run whose record is damaged, what is wrong: "results/hour/runs/NAME.json: not JSON, or truncated".
std::vector<std::string> damaged_records(const PlanExecution& execution, const std::vector<PlannedRun>& runs);
// Whether a finished run has no intact record.
bool lacks_record(const PlanExecution& execution, const std::vector<PlannedRun>& runs);
// Writes the missing and damaged records of finished runs. Returns the runs whose record cannot be written.
std::vector<FailedRun> take_up_finished(const PlanExecution& execution, const std::vector<PlannedRun>& runs);

// Calls `take_up_finished`, then starts new runs and resumes begun ones. A failed run does not affect the others.
// Returns the failed runs. `say` receives a line for each run that ends. `progress` receives a status line for the
// whole plan about once a second; each replaces the one before. Throws an Error if another process uses the same `runs`
// folder.
std::vector<FailedRun> execute(const PlanExecution& execution, const std::vector<PlannedRun>& runs,
                               const std::function<void(const std::string&)>& say,
                               const std::function<void(const std::string&)>& progress,
                               const std::atomic<int>& stop_signal);

}  // namespace frgan
