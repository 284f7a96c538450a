// The tables and figures of a plan: of what is done, scored where the plan shows scores.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/plan_command.h"
#include "frgan/experiments/plan_execution.h"
#include "frgan/experiments/planned_runs.h"

namespace frgan {

// One call of a plan.
struct PlanCall {
  const Plan& plan;
  const PlanOptions& options;
  PlanChoice choice;
  std::filesystem::path output;
  PlanExecution execution;
};

// The run that trains the plan's scorer; none where no scorer is needed: nothing is to be scored, or another one is
// given. What would be found only after all `runs`, the ones chosen, is said before them: throws an Error where nobody
// scores the images, or a scorer does not fit.
std::optional<PlannedRun> scorer_to_train(const PlanCall& call, const std::vector<PlannedRun>& runs);

// Prints and writes what the records come to. False where something could not be scored, which was said. Throws an
// Error where none of the records is of the plan's runs.
bool show_plan(const PlanCall& call);

}  // namespace frgan
