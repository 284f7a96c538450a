// The test errors of a plan's runs as a table: published and ours, side by side, with what is needed to judge them.
#pragma once

#include "frgan/experiments/plan_results.h"
#include "frgan/experiments/table.h"

namespace frgan {

// Mean and standard deviation over seeds of the error of the last weights, and of the median of the last 20
// evaluations; differences from the plan's reference row on the same seeds with their 95 % t interval, and McNemar's p
// for each seed.
Table errors_table(const PlanResults& results);

}  // namespace frgan
