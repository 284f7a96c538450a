// Scores what the generators of a plan's runs make, and real images, by one scorer.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "frgan/data/dataset.h"
#include "frgan/experiments/plan_results.h"
#include "frgan/metrics/image_scores.h"
#include "frgan/metrics/scorer.h"

namespace frgan {

struct PlanScoring {
  std::filesystem::path folder;  // FOLDER/NAME.json for each scored run, FOLDER/real-train.json and real-test.json
  int64_t images = 50'000;       // of each generator, and of the real training images
  std::string precision;         // of the scorer, "fp32" or "bf16", or what a file does
  at::Device device = at::kCPU;  // of the generators
  ScoreOptions options{};
};

// Scores each run that has a checkpoint in `run_folder` and is not scored yet by this scorer with as many images;
// real images first. Stops between runs when told to. Returns how many could not be scored, which were said. Throws
// an Error, before anything is written, where scores of another scorer would be lost that cannot be made anew.
int64_t score_plan(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const PlanResults& results,
                   const std::function<std::filesystem::path(const PlannedRun&)>& run_folder,
                   const std::function<void(const std::string&)>& say, const std::atomic<int>& stop_signal);

}  // namespace frgan
