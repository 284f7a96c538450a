// Writes the tables and figures of a plan from its finished runs, and scores them if the plan shows scores.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/plan_command.h"
#include "frgan/plans/plan_execution.h"
#include "frgan/plans/planned_runs.h"

namespace frgan {

// A plan as called.
struct PlanCall {
  const Plan& plan;
  const PlanOptions& options;
  PlanChoice choice;
  std::filesystem::path output;
  PlanExecution execution;
  RunMeasurer& measurer;
};

// The run that trains the scorer of the plan; empty if no scorer is needed or --scorer gives one. Checks before the
// `runs` start what would fail after them: throws an Error if there is no scorer or it does not fit the data.
std::optional<PlannedRun> scorer_to_train(const PlanCall& call, const std::vector<PlannedRun>& runs);

// Writes and prints the results. With --tables-only, the records replace the datasets if they determine all runs.
// Returns false if some runs could not be scored; the reasons were printed. Throws an Error if there is no record of
// any run of the plan.
bool show_plan(const PlanCall& call);

}  // namespace frgan
