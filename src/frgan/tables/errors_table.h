// Table of published and measured test errors of a plan's runs.
#pragma once

#include "frgan/plans/plan_results.h"
#include "frgan/tables/table.h"

namespace frgan {

// Errors in percent, one table section per plan section:
// - mean and standard deviation over seeds of the error of the last weights;
// - the same for the median of a run's last 20 evaluations;
// - mean difference from the plan's reference row, paired by seed, with its 95 % t interval;
// - p of McNemar's test against the reference row, for each seed.
// Plans with ShowKind::against_first also compare each row with its own runs in the first section.
Table errors_table(const PlanResults& results);

}  // namespace frgan
