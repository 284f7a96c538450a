// The images of a page of runs: their mistakes and generated images, as many as the page has room for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// A run's grids of generated images, by step.
std::vector<std::pair<int64_t, std::filesystem::path>> sample_grids(const std::filesystem::path& run);

// Reads images of the runs into `mistakes_png` and `samples`, which come to some `bytes` of a page, base64 and
// captions included. First come every run's worst mistakes and its last grid: the same number of images for each run,
// at most all 50 mistakes and the first 30 of a grid; where even 5 of each are too many, of the first runs alone. Then,
// evenly over the steps, earlier grids, the same share of the room for each run. What is left out is counted in the
// record, and a file that cannot be read becomes a note.
void read_images(std::span<RunHistory> runs, size_t bytes);

}  // namespace frgan
