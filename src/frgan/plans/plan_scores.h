// Scores the generators of a plan's runs, and real images, with one scorer.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "frgan/data/dataset.h"
#include "frgan/metrics/image_scores.h"
#include "frgan/metrics/scorer.h"
#include "frgan/plans/plan_results.h"

namespace frgan {

struct PlanScoring {
  std::filesystem::path folder;  // output: NAME.json for each scored run, real-train.json and real-test.json
  int64_t images = 50'000;       // scored per generator; at most as many real training images
  std::string precision;         // of the scorer: "fp32", "bf16", or "its own precision" (TorchScript)
  at::Device device = at::kCPU;  // device of the generators
  ScoreOptions options{};
};

// Scores real images, then each finished run that has a checkpoint in `run_folder` and no scores yet by this scorer
// with this number of images. Stops between runs when `stop_signal` becomes nonzero. `say` receives a line per run.
// Returns the number of runs whose scoring failed. Throws an Error, before anything is written, if it would replace
// scores by another scorer that cannot be recomputed.
int64_t score_plan(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const PlanResults& results,
                   const std::function<std::filesystem::path(const PlannedRun&)>& run_folder,
                   const std::function<void(const std::string&)>& say, const std::atomic<int>& stop_signal);

}  // namespace frgan
