// All scores of a set of images by one scorer: what `frgan score` prints. docs/scores.md says what each means.
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
  int64_t seed = 1;        // of the order in which images fall into splits, and of those drawn for precision
  int64_t neighbours = 3;  // k of precision and recall
  int64_t drawn = 10'000;  // images of each set for precision and recall, whose cost is quadratic
};

// How far images are from real ones, by features.
struct Distances {
  double frechet = 0;
  double kernel = 0;
  PrecisionRecall balls;
  int64_t drawn = 0;  // for precision and recall
  int64_t real_drawn = 0;
};

struct ImageScores {
  int64_t images = 0;
  InceptionScore inception;
  std::vector<int64_t> histogram;  // K, by the scorer's most probable class
  // Against real images, where there are any to compare with.
  int64_t real_images = 0;
  double histogram_divergence = 0;     // KL(these || real) in nats
  std::optional<Distances> distances;  // none where the scorer gives no features
  std::string scorer;
  std::string scorer_digest;
};

// Inception Score and class histogram alone. Images are shuffled by the seed first.
//
//   const Features real = features_of(scorer, data.train.images);         // once for several generators
//   const Features generated = features_of(scorer, generated_images(loaded, seed, 50'000));
//   const ImageScores scores = score_images(generated, real, {.seed = seed});
ImageScores score_images(const Features& images, const ScoreOptions& options);
// Everything. Both must be of one scorer. Throws an Error where there are too few images for a score.
ImageScores score_images(const Features& images, const Features& real, const ScoreOptions& options);

// Everything, or where there are too few images for distances Inception Score and class histogram alone.
ImageScores scores_as_far_as_enough(const Features& images, const Features& real, const ScoreOptions& options);

// exp(H(y)) of those images of a set whose label is known (inception_ceiling).
double label_ceiling(const ImageSet& set, int64_t classes);

// As many of the images as wanted, or all, drawn without replacement by the seed: another draw than the order above.
Features drawn(const Features& images, int64_t count, int64_t seed);

// {"images", "splits", "images_per_split", "inception_score", "inception_score_std" (over splits),
//  "inception_scores", "histogram"} and, where compared, {"real_images", "histogram_divergence", "frechet_distance",
//  "kernel_distance", "precision", "recall", "precision_recall_images": [these, real]}, {"scorer", "scorer_digest"}.
nlohmann::ordered_json to_json(const ImageScores& scores);

}  // namespace frgan
