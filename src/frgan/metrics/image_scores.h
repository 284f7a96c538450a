// All scores of a set of pictures by one scorer: what `frgan score` prints. docs/scores.md says what each means.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/metrics/inception_score.h"
#include "frgan/metrics/precision_recall.h"
#include "frgan/metrics/scorer.h"

namespace frgan {

struct ScoreOptions {
  int64_t splits = 10;
  int64_t seed = 1;        // of the order in which pictures fall into splits, and of those drawn for precision
  int64_t neighbours = 3;  // k of precision and recall
  int64_t drawn = 10'000;  // pictures of each set for precision and recall, whose cost is quadratic
};

// How far pictures are from real ones, by features.
struct Distances {
  double frechet = 0;
  double kernel = 0;
  PrecisionRecall balls;
  int64_t drawn = 0;  // for precision and recall
  int64_t real_drawn = 0;
};

struct ImageScores {
  int64_t pictures = 0;
  InceptionScore inception;
  std::vector<int64_t> histogram;  // K, by the scorer's most probable class
  // Against real pictures, where there are any to compare with.
  int64_t real_pictures = 0;
  double histogram_divergence = 0;     // KL(these || real) in nats
  std::optional<Distances> distances;  // none where the scorer gives no features
  std::string scorer;
  std::string scorer_hash;
};

// Inception Score and class histogram alone. Pictures are shuffled by the seed first.
//
//   const Features real = features_of(scorer, data.train.pictures);         // once for several generators
//   const Features generated = features_of(scorer, generated_pictures(loaded, seed, 50'000));
//   const ImageScores scores = score_images(generated, real, {.seed = seed});
ImageScores score_images(const Features& pictures, const ScoreOptions& options);
// Everything. Both must be of one scorer. Throws an Error where there are too few pictures for a score.
ImageScores score_images(const Features& pictures, const Features& real, const ScoreOptions& options);

// Everything, or where there are too few pictures for distances Inception Score and class histogram alone.
ImageScores scores_as_far_as_enough(const Features& pictures, const Features& real, const ScoreOptions& options);

// exp(H(y)) of those pictures of a set whose label is known (inception_ceiling).
double label_ceiling(const PictureSet& set, int64_t classes);

// As many of the pictures as wanted, or all, drawn without replacement by the seed: another draw than the order above.
Features drawn(const Features& pictures, int64_t count, int64_t seed);

// {"pictures", "splits", "pictures_per_split", "inception_score", "inception_score_std" (over splits),
//  "inception_scores", "histogram"} and, where compared, {"real_pictures", "histogram_divergence", "frechet_distance",
//  "kernel_distance", "precision", "recall", "precision_recall_pictures": [these, real]}, {"scorer", "scorer_hash"}.
nlohmann::ordered_json to_json(const ImageScores& scores);

}  // namespace frgan
