// Figure 3 of the paper: grids of real and generated images, and how images of fixed noise change during training.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "frgan/plans/plan_results.h"
#include "frgan/train/run_facts.h"

namespace frgan {

inline constexpr int64_t kGridsFigureImages = 100;  // in each grid

// Writes these files into `output`. Input: `real`, kGridsFigureImages training images of the size that the runs
// generate, and the grids that the runs with seed 1 in the first section wrote during training. All runs use the same
// noise.
//   NAME-real.png  a grid of real training images
//   NAME-ROW.png   a grid for each row, after the last step
//   NAME.png       all these grids side by side
//   NAME.html      a page with all images and their captions
//   NAME-film.png  a line for each row and each of four noise vectors; columns are the training steps of the grids
// Returns the paths written. Leaves out rows without a finished run. Throws an Error, before anything is written, if no
// run is finished or a finished run has no grids. Also throws if the runs have different numbers of grids.
std::vector<std::filesystem::path> write_grids_figure(
    const std::filesystem::path& output, const std::string& name, const PlanResults& results, const SquareImages& real,
    const std::function<std::filesystem::path(const PlannedRun&)>& run_folder);

}  // namespace frgan
