#include "frgan/train/step_budget.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/schedules.h"

namespace frgan {
namespace {

// Default numbers of log lines, evaluations and image grids per run.
constexpr int64_t kLogCount = 200, kEvaluationCount = 10, kSampleCount = 10;

// Whether the step is a multiple of `every`; if `every` is 0, of 1/`count` of the run.
bool due(const RunOptions& options, int64_t step, int64_t every, int64_t count) {
  return step % (every > 0 ? every : std::max<int64_t>(1, options.steps / count)) == 0;
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

StepBudget steps_in_time(const RunOptions& options, double step_seconds, double evaluation_seconds) {
  const double seconds = parse_duration(options.time_budget);
  double left = seconds, per_step = step_seconds, evaluations = 0;
  if (options.evaluations > 0) {
    left -= static_cast<double>(options.evaluations) * evaluation_seconds;
  } else if (options.evaluate_every > 0) {
    left -= evaluation_seconds;  // after the last step
    per_step += evaluation_seconds / static_cast<double>(options.evaluate_every);
  } else if (evaluation_seconds > 0) {
    evaluations =
        std::clamp(std::floor(0.1 * seconds / evaluation_seconds), 1.0, static_cast<double>(kEvaluationCount));
    left -= evaluations * evaluation_seconds;
  }
  if (left < per_step) {
    throw usage_error(
        fmt::format("--time-budget {} is too short: one step takes {:.2g} s and one evaluation {:.2g} s on this "
                    "machine; increase it",
                    options.time_budget, step_seconds, evaluation_seconds));
  }
  StepBudget budget{rounded_steps(left / per_step), options.evaluate_every};
  if (evaluations > 0) {
    budget.evaluate_every = static_cast<int64_t>(std::ceil(static_cast<double>(budget.steps) / evaluations));
  }
  return budget;
}

bool log_due(const RunOptions& options, int64_t step) {
  return step == options.steps || due(options, step, options.log_every, kLogCount);
}

bool samples_due(const RunOptions& options, int64_t step) {
  return due(options, step, options.sample_every, kSampleCount);
}

bool evaluation_due(const RunOptions& options, int64_t step) {
  if (options.evaluations == 0) return due(options, step, options.evaluate_every, kEvaluationCount);
  return evaluation_after(step, options.steps, options.evaluations);
}

}  // namespace frgan
