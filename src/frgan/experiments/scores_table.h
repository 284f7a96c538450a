// Scores of real images and of what a plan's generators make, side by side: the paper's Table 2.
#pragma once

#include <cstdint>
#include <vector>

#include "frgan/experiments/plan_results.h"
#include "frgan/experiments/scored_set.h"
#include "frgan/experiments/table.h"

namespace frgan {

// A row for real images and for each row of the plan, with all scores, their spread over splits and over seeds. Sets
// of another scorer than that of the real training images are left out, with a note.
Table scores_table(const PlanResults& results, const std::vector<ScoredSet>& scored);

// Whether real images and every run that has a record are scored, by one scorer, of as many images.
bool is_scored_whole(const PlanResults& results, const std::vector<ScoredSet>& scored, int64_t images);

}  // namespace frgan
