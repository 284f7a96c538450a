// Finds runs of a plan that must fail, before the first one starts.
#pragma once

#include <vector>

#include "frgan/plans/plan.h"
#include "frgan/plans/planned_runs.h"
#include "frgan/train/run_facts.h"

namespace frgan {

// Draws the label split of each run. Throws a usage error that names the first run whose labels cannot be drawn, and
// the number of such runs. `planned_runs` has checked options, files and datasets before.
void check_runs(const Plan& plan, const std::vector<PlannedRun>& runs, RunMeasurer& measurer);

}  // namespace frgan
