// Loads images for a report, mistakes and generated images, within a limit on the page size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// (step, PNG file) of a run's grids of generated images, by step.
std::vector<std::pair<int64_t, std::filesystem::path>> sample_grids(const std::filesystem::path& run);

// Reads images of the runs into `mistakes_png` and `samples`. Together they take at most about `bytes` of the page,
// including base64 and captions.
//
//   1. Each run gets its most confident mistakes and its last grid: the same number of images for each run, from 50
//      mistakes and 30 generated images down to 5 of each. If even 5 are too many, only the first runs get images.
//   2. The remaining bytes are divided equally among the runs, for earlier grids spaced evenly over the steps.
//
// RunHistory records what is omitted. An unreadable file becomes a note.
void read_images(std::span<RunHistory> runs, size_t bytes);

}  // namespace frgan
