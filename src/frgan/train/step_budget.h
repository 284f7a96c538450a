// The steps that fit into a time budget, and what is due after a step: log lines, samples, evaluations. Pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "frgan/core/step_plan.h"
#include "frgan/train/run_options.h"

namespace frgan {

// Rounds to an integer of at least 1. Throws a usage error if it exceeds the range of --steps.
int64_t rounded_steps(double steps);

// How long the parts of a run take on this machine, in seconds.
struct RunCosts {
  double step = 0;        // one training step
  double evaluation = 0;  // one evaluation of all development and test images
  double end = 0;         // what follows the last evaluation: last checkpoint, sample grid, learning curve
};

// Stages of a run have different costs per step.
struct StageCost {
  double share = 1;    // of the steps of the run
  double seconds = 0;  // of one step
};
// The mean cost of the steps between the progress `from` and `to` (0 to 1), relative to that of the whole run. It is 1
// for fewer than two stages.
double relative_step_cost(std::span<const StageCost> stages, double from, double to);

// Default number of evaluations in a run of `seconds`: ten, or fewer if they would take more than a tenth of the time.
int64_t default_evaluations(double seconds, const RunCosts& costs);

// The number of steps that fit into `seconds` together with the end of the run and its evaluations. With
// --evaluate-every, each step also pays its share of an evaluation; otherwise, `evaluations` are left. At least 0.
int64_t steps_in_time(const RunOptions& options, double seconds, const RunCosts& costs, int64_t evaluations);

// Where a run is after a step: the parts of the whole run before and after the step, in units of 1 / `whole`.
struct RunPosition {
  int64_t step = 0;  // counted from 1
  int64_t before = 0, after = 0, whole = 1;
};
RunPosition position_after(const StepPlan& plan, int64_t step);

// Whether something is due after the step. Intervals that are not given are parts of the run: 200 log lines, 10 grids
// of samples, `evaluations` evaluations. Each is due after the last step too.
bool log_due(const RunOptions& options, const RunPosition& position);
bool samples_due(const RunOptions& options, const RunPosition& position);
bool evaluation_due(const RunOptions& options, const RunPosition& position, int64_t evaluations);
// Whether a run with a time budget plans its remaining steps anew: 200 times.
bool replan_due(const RunPosition& position);

// The number of evaluations after `step`, including the last one. `evaluations` is the default number.
int64_t evaluations_left(const RunOptions& options, const StepPlan& plan, int64_t step, int64_t evaluations);

// The expected seconds to the end of the run.
double seconds_left(const RunCosts& costs, int64_t steps, int64_t evaluations);

}  // namespace frgan
