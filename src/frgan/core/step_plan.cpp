#include "frgan/core/step_plan.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr std::string_view kPlanFormat = "frgan plan 1";
constexpr int64_t kMostSteps = 1'000'000'000, kMostThreads = 4096, kMostDecisions = 1'000'000;

// Adds a decision to a list that is sorted by step.
template <class Decision>
void decide(std::vector<Decision>& decisions, const Decision& next) {
  while (!decisions.empty() && decisions.back().step >= next.step) decisions.pop_back();
  decisions.push_back(next);
}

template <class Decision>
std::vector<Decision> decisions_from(const std::vector<Decision>& decisions, int64_t step) {
  std::vector<Decision> later;
  std::copy_if(decisions.begin(), decisions.end(), std::back_inserter(later),
               [&](const Decision& decision) { return decision.step >= step; });
  return later;
}

template <class Decision>
bool agree_before(int64_t step, std::vector<Decision> one, std::vector<Decision> other) {
  const auto is_later = [&](const Decision& decision) { return decision.step >= step; };
  std::erase_if(one, is_later);
  std::erase_if(other, is_later);
  return one == other;
}

// The pairs [step, value] of a list, with increasing steps and values from `least` to `most`.
std::vector<std::pair<int64_t, int64_t>> read_pairs(const Json& list, int64_t least, int64_t most,
                                                    const std::string& name) {
  std::vector<std::pair<int64_t, int64_t>> pairs;
  const auto refuse = [&] { throw Error(fmt::format("{}: not a valid plan of a run", name)); };
  if (!list.is_array() || static_cast<int64_t>(list.size()) > kMostDecisions) refuse();
  for (const Json& pair : list) {
    if (!pair.is_array() || pair.size() != 2 || !pair.at(0).is_count() || !pair.at(1).is_count()) refuse();
    const auto step = pair.at(0).get<int64_t>(), value = pair.at(1).get<int64_t>();
    if (step > kMostSteps || value < least || value > most || (!pairs.empty() && step <= pairs.back().first)) refuse();
    pairs.emplace_back(step, value);
  }
  return pairs;
}

}  // namespace

double StepPlan::progress(int64_t step) const {
  if (step >= steps()) return 1;
  double done = 0;
  for (size_t i = 0; i < lengths_.size(); ++i) {
    const Length& length = lengths_[i];
    const int64_t end = i + 1 < lengths_.size() ? std::min(step, lengths_[i + 1].step) : step;
    done += (1 - done) * (static_cast<double>(end - length.step) / static_cast<double>(length.steps_left));
    if (end == step) break;
  }
  return done;
}

int64_t StepPlan::first_step(double progress) const {
  int64_t below = -1, found = steps();  // progress(below) < progress <= progress(found)
  while (found - below > 1) {
    const int64_t middle = below + (found - below) / 2;
    (this->progress(middle) < progress ? below : found) = middle;
  }
  return found;
}

void StepPlan::replan(int64_t step, int64_t steps_left) {
  decide(lengths_, Length{step, steps_left});
}

void StepPlan::use_threads(int64_t step, int64_t threads) {
  if (teams_.empty() || teams_.back().threads != threads) decide(teams_, Team{step, threads});
}

std::vector<StepPlan::Length> StepPlan::lengths_from(int64_t step) const {
  return decisions_from(lengths_, step);
}

std::vector<StepPlan::Team> StepPlan::teams_from(int64_t step) const {
  return decisions_from(teams_, step);
}

bool StepPlan::agrees_before(int64_t step, const StepPlan& other) const {
  return agree_before(step, lengths_, other.lengths_) && agree_before(step, teams_, other.teams_);
}

Json to_json(const StepPlan& plan) {
  Json lengths = Json::array(), teams = Json::array();
  for (const auto& [step, left] : plan.lengths()) lengths.push_back(Json::array({step, left}));
  for (const auto& [step, threads] : plan.teams()) teams.push_back(Json::array({step, threads}));
  return {{"format", kPlanFormat}, {"lengths", lengths}, {"threads", teams}};
}

StepPlan step_plan_from_json(const Json& json, const std::string& name) {
  if (!json.is_object() || json.value("format", Json()) != kPlanFormat) {
    throw Error(fmt::format("{}: not a plan of format '{}'", name, kPlanFormat));
  }
  const auto lengths = read_pairs(json.value("lengths", Json()), 0, kMostSteps, name);
  if (lengths.empty() || lengths.front().first != 0) {
    throw Error(fmt::format("{}: the plan has no number of steps at step 0", name));
  }
  StepPlan plan(lengths.front().second);
  for (const auto& [step, left] : lengths) {
    if (step > 0 && step >= plan.steps()) throw Error(fmt::format("{}: the plan goes on after its last step", name));
    plan.replan(step, left);
  }
  for (const auto& [step, threads] : read_pairs(json.value("threads", Json()), 1, kMostThreads, name)) {
    plan.use_threads(step, threads);
  }
  return plan;
}

}  // namespace frgan
