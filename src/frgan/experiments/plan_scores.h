// Scores of what the generators of a plan's runs make, and of real pictures, by one scorer: the paper's Table 2.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/data/dataset.h"
#include "frgan/experiments/plan_results.h"
#include "frgan/experiments/table.h"
#include "frgan/metrics/image_scores.h"
#include "frgan/metrics/scorer.h"

namespace frgan {

struct PlanScoring {
  std::filesystem::path folder;  // FOLDER/NAME.json for each scored run, FOLDER/real-train.json and real-test.json
  int64_t pictures = 50'000;     // of each generator, and of the real training pictures
  std::string precision;         // of the scorer, "fp32" or "bf16", or what a file does
  at::Device device = at::kCPU;  // of the generators
  ScoreOptions options{};
};

// A set of pictures that was scored.
struct ScoredSet {
  std::string name;  // of the run, or "real-train", "real-test"
  std::string key;   // of the run; the digest of the data for real pictures
  std::string scorer_hash;
  std::string precision;          // of the scorer
  nlohmann::ordered_json scores;  // to_json(ImageScores), and for real pictures "ceiling", exp(H(y))
};

// Scores each run that has a checkpoint in `run_folder` and is not scored yet by this scorer with as many pictures;
// real pictures first. Stops between runs when told to.
void score_plan(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const PlanResults& results,
                const std::function<std::filesystem::path(const PlannedRun&)>& run_folder,
                const std::function<void(const std::string&)>& say, const std::atomic<int>& stop_signal);

// Every scored set of a folder, by name.
std::vector<ScoredSet> read_scored_sets(const std::filesystem::path& folder);

// A row for real pictures and for each row of the plan, with all scores, their spread over splits and over seeds. Sets
// of another scorer than that of the real training pictures are left out, with a note.
Table scores_table(const PlanResults& results, const std::vector<ScoredSet>& scored);

}  // namespace frgan
