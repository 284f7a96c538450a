// Real and generated images side by side: the paper's Figure 3; and what becomes of a noise vector over training.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "frgan/data/dataset.h"
#include "frgan/experiments/plan_results.h"

namespace frgan {

// Writes into `output`, from the grids that the runs of the first seed wrote, all of the same noise:
//   NAME-real.png, NAME-ROW.png  a grid each, of real training images and of each row
//   NAME.png                     all of them side by side
//   NAME.html                    a page of them with what they are
//   NAME-film.png                a line for each of four noise vectors and each row: its image at each grid's step
// Returns what was written. Rows that are not done are left out. Throws an Error where none is, or grids are missing.
std::vector<std::filesystem::path> write_grids_figure(
    const std::filesystem::path& output, const std::string& name, const PlanResults& results, const Dataset& data,
    const std::function<std::filesystem::path(const PlannedRun&)>& run_folder);

}  // namespace frgan
