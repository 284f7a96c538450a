// The length of a run and its number of CPU threads, as they were decided before and while it ran. Both affect the
// weights: schedules are fractions of the length, and the number of threads changes the order of sums. So a run that
// follows the same plan on the same machine has the same weights, bit for bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/core/json.h"

namespace frgan {

//   StepPlan plan(4000);         // progress(2000) is 0.5
//   plan.replan(2000, 1000);     // the machine became slower: progress(2500) is 0.75
class StepPlan {
 public:
  // After `step` steps, `steps_left` steps were left.
  struct Length {
    int64_t step, steps_left;
    bool operator==(const Length&) const = default;
  };
  // The steps after the first `step` ones used this number of threads.
  struct Team {
    int64_t step, threads;
    bool operator==(const Team&) const = default;
  };

  explicit StepPlan(int64_t steps = 0) : lengths_{{0, steps}} {}

  // The number of steps of the whole run, as decided last.
  int64_t steps() const { return lengths_.back().step + lengths_.back().steps_left; }
  // The fraction of the run that is done after `step` steps, 0 to 1. Each decision leaves the progress so far and
  // divides the rest evenly: p(step) = p_i + (1 - p_i) (step - step_i) / steps_left_i.
  double progress(int64_t step) const;
  // The smallest number of steps with at least this progress.
  int64_t first_step(double progress) const;

  // Decisions after `step` steps. Steps must not decrease; a second decision at the same step replaces the first.
  void replan(int64_t step, int64_t steps_left);
  void use_threads(int64_t step, int64_t threads);

  const std::vector<Length>& lengths() const { return lengths_; }  // never empty
  const std::vector<Team>& teams() const { return teams_; }

  // The decisions after `step` or more steps, which affect the steps that follow.
  std::vector<Length> lengths_from(int64_t step) const;
  std::vector<Team> teams_from(int64_t step) const;
  // Whether the first `step` steps had the same lengths and threads in both plans.
  bool agrees_before(int64_t step, const StepPlan& other) const;

 private:
  std::vector<Length> lengths_;
  std::vector<Team> teams_;
};

// {"format": "frgan plan 1", "lengths": [[0, 4000], [2000, 1000]], "threads": [[0, 2]]}
Json to_json(const StepPlan& plan);
// Throws an Error that starts with `name`, the file, if this is not a valid plan.
StepPlan step_plan_from_json(const Json& json, const std::string& name);

}  // namespace frgan
