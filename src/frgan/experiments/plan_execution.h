// Does the runs of a plan that are not done yet, and keeps their records.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "frgan/experiments/planned_runs.h"
#include "frgan/experiments/run_record.h"

namespace frgan {

enum class RunState { kNew, kBegun, kDone };

struct PlanExecution {
  std::filesystem::path runs;     // a folder for each run and its checkpoints, FOLDER/NAME
  std::filesystem::path records;  // FOLDER/NAME.json for each that is done
  int64_t jobs = 1;               // at once
  int64_t threads = 1;            // of each
  std::string device = "auto";

  std::filesystem::path folder_of(const PlannedRun& run) const;
  // Done is what has a record with its key; begun what has a checkpoint.
  RunState state_of(const PlannedRun& run) const;
};

struct FailedRun {
  std::string name;
  int code = 0;
  std::string message;  // the last line that it printed
  std::filesystem::path log;
};

// Makes the records of runs that are finished and have none; those that it cannot are returned.
std::vector<FailedRun> take_up_finished(const PlanExecution& execution, const std::vector<PlannedRun>& runs);

// Runs what is not done and goes on with what was begun, after `take_up_finished`. `say` gets a line for each start and
// end, `progress` a line about the whole, which is to be shown in place of the one before. A run that fails takes no
// other with it; the failed ones are returned. Throws an Error where another process is at work in the same folder.
std::vector<FailedRun> execute(const PlanExecution& execution, const std::vector<PlannedRun>& runs,
                               const std::function<void(const std::string&)>& say,
                               const std::function<void(const std::string&)>& progress,
                               const std::atomic<int>& stop_signal);

}  // namespace frgan
