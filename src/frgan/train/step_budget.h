// The length of a run, and the steps after which it logs, draws samples and evaluates. Pure functions of the options.
#pragma once

#include <cstdint>

#include "frgan/train/run_options.h"

namespace frgan {

// Rounds to an integer of at least 1. Throws a usage error if it exceeds the range of --steps.
int64_t rounded_steps(double steps);

struct StepBudget {
  int64_t steps = 0;
  int64_t evaluate_every = 0;  // as in RunOptions
};
// The number of steps that fit into `time_budget` together with the evaluations. With --evaluate-every, each step also
// pays its share of an evaluation. Without an option for evaluations, at most a tenth of the time goes to them. Throws
// a usage error if not even one step fits.
StepBudget steps_in_time(const RunOptions& options, double step_seconds, double evaluation_seconds);

// Whether something is due after `step`, counted from 1. Samples and evaluations always follow the last step; ask only
// for the steps before it.
bool log_due(const RunOptions& options, int64_t step);
bool samples_due(const RunOptions& options, int64_t step);
bool evaluation_due(const RunOptions& options, int64_t step);

}  // namespace frgan
