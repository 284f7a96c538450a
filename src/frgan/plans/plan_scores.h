// Scores the generators of a plan's runs, and real images, with one scorer.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "frgan/plans/plan_results.h"

namespace frgan {

struct PlanScoring {
  std::filesystem::path folder;     // output: NAME.json for each scored run, real-train.json and real-test.json
  int64_t images = 50'000;          // scored per generator; at most as many real training images
  std::filesystem::path scorer;     // a run, a checkpoint or a TorchScript file
  bool any_classes = false;         // accepts a scorer with classes other than the data's
  std::string device = "auto";      // of scorer and generators
  std::filesystem::path data_root;  // folder in which datasets are searched
  std::function<void(const std::string&)> say;   // receives a line per run
  std::function<void(const std::string&)> warn;  // receives warnings about the scorer's checkpoint and precision
};

// Loads the scorer and the dataset of the run. Returns the number of the scorer's features, 0 if it has none. Warns if
// the scorer has a high test error. Throws an Error if the scorer is not completely trained, or has other classes than
// the data.
int64_t scorer_features(const PlanScoring& scoring, const PlannedRun& run);

// Scores real images, then each finished run that has a checkpoint in `run_folder` and no scores yet by this scorer
// with this number of images. The runs must have one dataset. Stops between runs when `stop_signal` becomes nonzero.
// Returns the number of runs whose scoring failed. Warns and throws like `scorer_features`, and, before anything is
// written, if it would replace scores by another scorer that cannot be recomputed.
int64_t score_plan(const PlanScoring& scoring, const PlanResults& results,
                   const std::function<std::filesystem::path(const PlannedRun&)>& run_folder,
                   const std::atomic<int>& stop_signal);

}  // namespace frgan
