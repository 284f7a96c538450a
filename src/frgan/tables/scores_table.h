// Table 2 of the paper: scores of real images and of images from a plan's generators.
#pragma once

#include <cstdint>
#include <vector>

#include "frgan/plans/plan_results.h"
#include "frgan/plans/scored_set.h"
#include "frgan/tables/table.h"

namespace frgan {

// One row for real images and one for each row of the plan, with all scores and their standard deviations over splits
// and over seeds. Scores by a scorer other than that of the real training images are left out, with a note.
Table scores_table(const PlanResults& results, const std::vector<ScoredSet>& scored);

// Whether real images and all finished runs are scored, by one scorer and with this number of images each.
bool is_scored_whole(const PlanResults& results, const std::vector<ScoredSet>& scored, int64_t images);

}  // namespace frgan
