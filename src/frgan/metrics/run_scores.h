// Scores the images of a generator or of a folder, and the real images beside them, as `frgan score` does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/hardware.h"
#include "frgan/core/messages.h"
#include "frgan/metrics/image_scores.h"

namespace frgan {

struct ScoringRequest {
  std::filesystem::path
      images{};                  // a run or checkpoint with a generator, or a folder of images; empty: real images only
  std::filesystem::path scorer;  // a run, a checkpoint or a TorchScript file
  bool any_classes = false;      // accepts a scorer with other classes than those of the data
  int64_t count = 50'000;        // of the generated images, and at most of the real training images
  ScoreOptions options{};
  DataSource data{};  // real images; without a name, those of the scorer, else of the generator
  Hardware hardware{};
};

// The scores of one set of images.
struct NamedScores {
  std::string name;    // "scored", "real, train" or "real, test"
  std::string source;  // run, folder or file
  ImageScores scores;
};

struct ScoringResult {
  std::string scorer;         // Scorer::name
  std::string scorer_digest;  // Scorer::digest
  int64_t classes = 0;        // K
  int64_t features = 0;       // F; 0 without features
  std::string precision;      // Scorer::precision
  std::string data;           // folder or file of the real images
  std::string data_digest;
  std::vector<NamedScores> sets;
  std::vector<std::pair<std::string, double>>
      ceilings;  // exp(H(y)) of the "train" and "test" labels; see label_ceiling
};

// Warns if the scorer has a high test error (scorer_error.h). Throws an Error if something cannot be read, if classes
// or image shapes differ, or if there are too few images for a score. Throws a usage error if no data is named. Omits
// scores that need more test images than exist.
//
//   const ScoringResult found = score_run({.images = "runs/a", .scorer = "runs/scorer", .data = {.root = "data"}});
ScoringResult score_run(const ScoringRequest& request, const Messages& messages = {});

}  // namespace frgan
