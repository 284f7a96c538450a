#include "frgan/train/run_pace.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/device/machine.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {

RunPace::RunPace(RunOptions& options, StepPlan& plan, bool on_cpu, Stopwatch begun)
    : options_(options), plan_(plan), on_cpu_(on_cpu), begun_(begun) {
  if (!on_cpu_) return;
  const int64_t threads = set_threads(options_.threads);
  if (options_.threads == 0 && options_.plan.empty()) team_.emplace(threads);
}

void RunPace::follow(const StepPlan& recorded, int64_t step) {
  if (!options_.plan.empty()) options_.steps = recorded.steps();
  if (!options_.plan.empty() || has_time_budget()) {
    if (step == 0) plan_ = StepPlan(recorded.lengths().front().steps_left);
    lengths_ = recorded.lengths_from(step);
  }
  if (on_cpu_ && options_.threads == 0) teams_ = recorded.teams_from(step);
}

void RunPace::fix(int64_t step, int64_t epoch_steps, const PaceMeasurements& measure) {
  if (on_cpu_) choose_threads(step, measure);
  fix_steps(epoch_steps, measure);
}

// The number of threads for the next step, as decided earlier.
std::optional<int64_t> RunPace::decided_threads(int64_t step) const {
  if (!teams_.empty() && teams_.front().step <= step) return teams_.front().threads;
  if (!plan_.teams().empty()) return plan_.teams().back().threads;
  return std::nullopt;
}

// At the start of a run, times teams of several sizes. Later, the plan has the last decision.
void RunPace::choose_threads(int64_t step, const PaceMeasurements& measure) {
  const auto time = [&](int64_t threads) {
    set_threads(threads);
    return timed_step_seconds(measure.step);
  };
  if (options_.threads > 0) {
    plan_.use_threads(step, set_threads(options_.threads));
  } else if (const auto threads = decided_threads(step)) {
    set_threads(*threads);
    if (team_) team_->settle(*threads, time(*threads));
  } else if (team_) {
    team_->choose(time);
    plan_.use_threads(step, set_threads(team_->threads()));
  }
}

void RunPace::fix_steps(int64_t epoch_steps, const PaceMeasurements& measure) {
  evaluations_ = frgan::default_evaluations(HUGE_VAL, {});
  if (has_time_budget()) {
    const double seconds = parse_duration(options_.time_budget);
    costs_ = {.step = step_seconds().value_or(0), .evaluation = measure.evaluation()};
    if (costs_.step == 0) costs_.step = measure.step(/*timed=*/3);
    evaluations_ = frgan::default_evaluations(seconds, costs_);
    if (plan_.steps() > 0) return;  // a resumed run
    plan_.replan(0, steps_in_time(options_, seconds - used_seconds(), costs_, evaluations_));
    if (plan_.steps() > 0) return;
    throw usage_error(
        fmt::format("--time-budget {} is too short: loading took {:.2g} s, one step takes {:.2g} s and one evaluation "
                    "{:.2g} s on this machine; increase it",
                    options_.time_budget, used_seconds(), costs_.step, costs_.evaluation));
  }
  if (plan_.steps() == 0) {
    if (options_.steps == 0) options_.steps = rounded_steps(options_.epochs * static_cast<double>(epoch_steps));
    plan_.replan(0, options_.steps);
  }
  if (options_.plan.empty()) options_.steps = plan_.steps();
}

std::optional<double> RunPace::step_seconds() const {
  if (!team_ || team_->step_seconds() == 0) return std::nullopt;
  return team_->step_seconds();
}

int64_t RunPace::planned_steps() const {
  return lengths_.empty() ? plan_.steps() : lengths_.back().step + lengths_.back().steps_left;
}

StepPlan RunPace::whole_plan() const {
  StepPlan plan = plan_;
  for (const auto& [step, left] : lengths_) plan.replan(step, left);
  for (const auto& [step, threads] : teams_) plan.use_threads(step, threads);
  return plan;
}

int64_t RunPace::evaluations_left(int64_t step) const {
  const StepPlan plan = whole_plan();
  const int64_t begin = plan.first_step(evaluations_begin_);
  return frgan::evaluations_left(options_, plan, std::max(step, begin), evaluations_);
}

double RunPace::relative_cost(int64_t first, int64_t last) const {
  const StepPlan plan = whole_plan();
  return relative_step_cost(stage_costs_, plan.progress(first), plan.progress(last));
}

double RunPace::seconds_left(int64_t step, double step_seconds) const {
  if (has_time_budget()) return std::max(0.0, parse_duration(options_.time_budget) - used_seconds());
  RunCosts costs = costs_;
  costs.step = step_seconds * relative_cost(step, planned_steps());
  return frgan::seconds_left(costs, planned_steps() - step, evaluations_left(step));
}

void RunPace::prepare(int64_t step) {
  while (!lengths_.empty() && lengths_.front().step <= step) {
    plan_.replan(step, lengths_.front().steps_left);
    lengths_.erase(lengths_.begin());
  }
  while (!teams_.empty() && teams_.front().step <= step) {
    const int64_t threads = teams_.front().threads;
    plan_.use_threads(step, set_threads(threads));
    if (team_) team_->settle(threads, team_->step_seconds());
    teams_.erase(teams_.begin());
  }
  if (team_ && teams_.empty()) plan_.use_threads(step, set_threads(team_->threads()));
}

std::string RunPace::after_step(int64_t step, double seconds) {
  if (!team_ || !teams_.empty()) return "";
  const int64_t before = team_->settled_threads(), used = team_->threads();
  const double before_seconds = team_->step_seconds();
  const bool changed = team_->after_step(seconds, run_queue_seconds);
  plan_.use_threads(step, team_->threads());  // now, so that a checkpoint after this step has the decision
  const int64_t now = team_->settled_threads(), next = team_->threads();
  std::vector<std::string> messages;
  if (changed) {
    messages.push_back(fmt::format("{}, so the run now uses {} instead of {} ({:.2g} s per step instead of {:.2g} s)",
                                   now < before ? "other programs use the cores" : "the cores are free again",
                                   counted(now, "thread"), before, team_->step_seconds(), before_seconds));
  }
  if (next != used && next != now) {
    messages.push_back(fmt::format("the run tries {} instead of {} for a few steps", counted(next, "thread"), now));
  }
  return fmt::format("{}", fmt::join(messages, "; "));
}

void RunPace::replan(int64_t step, double seconds) {
  if (!lengths_.empty()) return;
  constexpr double kNewest = 0.5;  // weight of the newest measurement
  if (measured_step_ >= 0 && step > measured_step_) {
    const double newest = (seconds - measured_seconds_) / static_cast<double>(step - measured_step_) /
                          relative_cost(measured_step_, step);
    const double before = std::exchange(costs_.step, costs_.step + kNewest * (newest - costs_.step));
    costs_.evaluation *= costs_.step / before;  // a busy machine is slower for both
  }
  measured_step_ = step;
  measured_seconds_ = seconds;
  const double left = parse_duration(options_.time_budget) - used_seconds();
  RunCosts rest = costs_;
  rest.step *= relative_cost(step, plan_.steps());
  const int64_t steps = steps_in_time(options_, left, rest, evaluations_left(step));
  plan_.replan(step, std::max<int64_t>(step == 0 ? 1 : 0, steps));
}

void RunPace::write(const std::filesystem::path& folder) {
  const std::string text = with_checksum(to_json(whole_plan())).dump() + '\n';
  if (text == written_) return;
  write_file_safely(folder / kPlanFile, text);
  written_ = text;
}

}  // namespace frgan
