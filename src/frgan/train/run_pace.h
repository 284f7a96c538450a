// The pace of a run: its number of steps and of CPU threads, as decided before the first step and while it trains.
// Every decision goes into a StepPlan (core/step_plan.h). A run that follows the decisions of another run on the same
// machine has the same weights, bit for bit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frgan/core/step_plan.h"
#include "frgan/train/run_options.h"
#include "frgan/train/step_budget.h"
#include "frgan/train/stopwatch.h"
#include "frgan/train/thread_team.h"

namespace frgan {

// Measurements on the run itself, in seconds. They leave no trace in its state.
struct PaceMeasurements {
  std::function<double(int timed)> step;  // median of `timed` steps
  std::function<double()> evaluation;     // an evaluation of all development and test images
};

//   RunPace pace(options, plan, /*on_cpu=*/true, begun);
//   pace.fix(0, epoch_steps, measure);
//   for (int64_t step = 0; step < pace.planned_steps();) {
//     pace.prepare(step);
//     train_a_step();
//     pace.after_step(++step, seconds_of_the_step);
//     if (replan_due(pace.position(step))) pace.replan(step, seconds_of_all_steps);
//   }
class RunPace {
 public:
  // `options` and `plan` must outlive the object. The time budget counts from `begun`.
  RunPace(RunOptions& options, StepPlan& plan, bool on_cpu, Stopwatch begun);

  // Counts the seconds that earlier processes used of the time budget.
  void resume(double used_seconds) { used_before_ = used_seconds; }
  // Follows the decisions of another run from `step` on, or those that a killed process of this run made after its last
  // checkpoint. Call it before `fix`. --threads has precedence over the recorded numbers of threads. Without --plan or
  // a time budget, only the numbers of threads are followed.
  void follow(const StepPlan& recorded, int64_t step);
  // Decides on the number of threads, if --threads is 0, and on the number of steps: --steps if given, else as many as
  // fit into --time-budget, else --epochs. Afterwards, `options.steps` is set unless there is a time budget. Throws a
  // usage error if the time budget is too short.
  void fix(int64_t step, int64_t epoch_steps, const PaceMeasurements& measure);

  // The number of steps of the whole run, as far as it is known.
  int64_t planned_steps() const;
  RunPosition position(int64_t step) const { return position_after(plan_, step); }
  bool has_time_budget() const { return options_.steps == 0 && !options_.time_budget.empty(); }
  double used_seconds() const { return used_before_ + begun_.seconds(); }
  int64_t default_evaluations() const { return evaluations_; }
  // The number of evaluations from `step` to the end of the whole run.
  int64_t evaluations_left(int64_t step) const;
  // The mean cost of the steps from `first` to `last`, relative to that of the whole run.
  double relative_cost(int64_t first, int64_t last) const;
  // The expected seconds to the end of the run, if its steps take `step_seconds` on average.
  double seconds_left(int64_t step, double step_seconds) const;

  // Makes the decisions for the next step, after `step` steps: recorded ones, and the number of threads.
  void prepare(int64_t step);
  // Reports the seconds of a step; `step` includes it. Returns a message if the number of threads changes; that of the
  // end of a trial without success is missing.
  std::string after_step(int64_t step, double seconds);
  // Report the seconds of an evaluation, of writing a checkpoint, and of a step of each stage.
  void set_evaluation_seconds(double seconds) { costs_.evaluation = seconds; }
  void set_checkpoint_seconds(double seconds) { costs_.end = 2 * seconds; }  // the end also writes grid and curve
  void set_stage_costs(std::vector<StageCost> costs) { stage_costs_ = std::move(costs); }
  // Evaluations before this share of the run are not made.
  void set_evaluations_begin(double progress) { evaluations_begin_ = progress; }
  double evaluation_seconds() const { return costs_.evaluation; }
  // The seconds of a step, if `fix` measured them.
  std::optional<double> step_seconds() const;
  // Divides the rest of the time budget. `seconds` is the time of all steps of this process, without evaluations and
  // records. Does nothing while recorded lengths are left.
  void replan(int64_t step, double seconds);

  // Writes the whole plan to plan.json, if it changed.
  void write(const std::filesystem::path& folder);

 private:
  // The decisions so far and the recorded ones that follow.
  StepPlan whole_plan() const;
  std::optional<int64_t> decided_threads(int64_t step) const;
  void choose_threads(int64_t step, const PaceMeasurements& measure);
  void fix_steps(int64_t epoch_steps, const PaceMeasurements& measure);

  RunOptions& options_;
  StepPlan& plan_;
  bool on_cpu_;
  std::optional<ThreadTeam> team_;  // empty if the number of threads is fixed: given, of --plan, or on a GPU
  // Decisions of an earlier process that are still to be followed.
  std::vector<StepPlan::Length> lengths_;
  std::vector<StepPlan::Team> teams_;
  Stopwatch begun_;          // of this process
  double used_before_ = 0;   // seconds of earlier processes
  int64_t evaluations_ = 0;  // default number of evaluations
  double evaluations_begin_ = 0;
  RunCosts costs_;  // of a step: the mean over all stages
  std::vector<StageCost> stage_costs_;
  std::string written_;  // content of plan.json
  // When the cost of a step was last measured.
  int64_t measured_step_ = -1;
  double measured_seconds_ = 0;
};

}  // namespace frgan
