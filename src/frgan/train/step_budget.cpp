#include "frgan/train/step_budget.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/schedules.h"

namespace frgan {
namespace {

constexpr int64_t kLogCount = 200, kEvaluationCount = 10, kSampleCount = 10, kReplanCount = 200;

// Whether one of `count` evenly spread events falls on this step.
bool part_due(const RunPosition& position, int64_t count) {
  return position.after * count / position.whole > position.before * count / position.whole;
}

// Whether the step is a multiple of `every` or the last one; if `every` is 0, whether a part of the run is due.
bool due(const RunPosition& position, int64_t every, int64_t count) {
  if (every == 0) return part_due(position, count);
  return position.step % every == 0 || position.after == position.whole;
}

}  // namespace

int64_t rounded_steps(double steps) {
  constexpr double kMaxSteps = 1e9;
  if (steps > kMaxSteps) {
    throw usage_error(
        fmt::format("the run is too long: {:.3g} steps; at most {:.0f} are allowed; reduce --epochs or --time-budget",
                    steps, kMaxSteps));
  }
  return std::max<int64_t>(1, std::llround(steps));
}

double relative_step_cost(std::span<const StageCost> stages, double from, double to) {
  if (stages.size() < 2) return 1;
  double whole = 0, part = 0, end = 0;
  for (const StageCost& stage : stages) {
    const double begin = std::exchange(end, end + stage.share);
    whole += stage.share * stage.seconds;
    part += std::max(0.0, std::min(to, end) - std::max(from, begin)) * stage.seconds;
  }
  return whole > 0 && part > 0 ? part / (to - from) / (whole / end) : 1;
}

int64_t default_evaluations(double seconds, const RunCosts& costs) {
  if (costs.evaluation <= 0) return kEvaluationCount;
  return std::clamp<int64_t>(std::llround(std::floor(0.1 * seconds / costs.evaluation)), 1, kEvaluationCount);
}

int64_t steps_in_time(const RunOptions& options, double seconds, const RunCosts& costs, int64_t evaluations) {
  double left = seconds - costs.end, per_step = costs.step;
  if (options.evaluations == 0 && options.evaluate_every > 0) {
    left -= costs.evaluation;  // after the last step
    per_step += costs.evaluation / static_cast<double>(options.evaluate_every);
  } else {
    left -= static_cast<double>(evaluations) * costs.evaluation;
  }
  return left < per_step ? 0 : rounded_steps(std::floor(left / per_step));
}

RunPosition position_after(const StepPlan& plan, int64_t step) {
  constexpr int64_t kWhole = int64_t{1} << 30;
  if (plan.lengths().size() == 1) return {step, step - 1, step, plan.steps()};
  const auto part = [&](int64_t at) { return std::llround(plan.progress(at) * static_cast<double>(kWhole)); };
  return {step, part(step - 1), step == plan.steps() ? kWhole : part(step), kWhole};
}

bool log_due(const RunOptions& options, const RunPosition& position) {
  return due(position, options.log_every, kLogCount);
}

bool samples_due(const RunOptions& options, const RunPosition& position) {
  return due(position, options.sample_every, kSampleCount);
}

bool evaluation_due(const RunOptions& options, const RunPosition& position, int64_t evaluations) {
  if (options.evaluations == 0) return due(position, options.evaluate_every, evaluations);
  const auto done = [&](int64_t part) { return evaluations_due(part, position.whole, options.evaluations); };
  return done(position.after) > done(position.before);
}

bool replan_due(const RunPosition& position) {
  return part_due(position, kReplanCount);
}

int64_t evaluations_left(const RunOptions& options, const StepPlan& plan, int64_t step, int64_t evaluations) {
  const int64_t every = options.evaluate_every, left = std::max<int64_t>(0, plan.steps() - step);
  if (left == 0) return 0;
  if (options.evaluations == 0 && every > 0) return (plan.steps() - 1) / every - step / every + 1;
  const RunPosition position = position_after(plan, step);
  const int64_t due = options.evaluations == 0
                          ? evaluations - position.after * evaluations / position.whole
                          : options.evaluations - evaluations_due(position.after, position.whole, options.evaluations);
  return std::min(due, left);  // at most one after each step
}

double seconds_left(const RunCosts& costs, int64_t steps, int64_t evaluations) {
  return costs.step * static_cast<double>(steps) + costs.evaluation * static_cast<double>(evaluations) + costs.end;
}

}  // namespace frgan
