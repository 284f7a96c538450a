// All scores of a set of images under one scorer, as printed by `frgan score`. docs/scores.md explains each score.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frgan/core/json.h"

namespace frgan {

struct Features;  // metrics/features.h
struct ImageSet;  // data/dataset.h

struct ScoreOptions {
  int64_t splits = 10;
  int64_t seed = 1;        // decides the assignment of images to splits, and which are drawn for precision and recall
  int64_t neighbours = 3;  // k of precision and recall
  int64_t drawn = 10'000;  // images drawn from each set for precision and recall, which have quadratic cost
};

struct InceptionScore {
  double mean = 0;       // mean over the splits, 1 to K
  double deviation = 0;  // standard deviation over the splits (not over seeds), divided by their number as numpy.std
  std::vector<double> splits;  // score of each split
};

struct PrecisionRecall {
  double precision = 0;  // fraction of generated images that lie in the ball of a real image
  double recall = 0;     // fraction of real images that lie in the ball of a generated image
};

// Distances between the features of images and those of real images.
struct Distances {
  double frechet = 0;
  double kernel = 0;
  PrecisionRecall balls;
  int64_t drawn = 0;       // images used for precision and recall
  int64_t real_drawn = 0;  // real images used for precision and recall
};

struct ImageScores {
  int64_t images = 0;
  InceptionScore inception;
  std::vector<int64_t> histogram;  // K counts, by the scorer's most probable class
  // Comparison with real images; `real_images` is 0 without one.
  int64_t real_images = 0;
  double histogram_divergence = 0;     // KL(images || real images) in nats
  std::optional<Distances> distances;  // empty if the scorer has no features
  std::string scorer;
  std::string scorer_digest;
};

// Inception Score and class histogram only. Images are first shuffled by `options.seed`.
//
//   const Features real = features_of(scorer, data.train.images);         // reusable for several generators
//   const Features generated = features_of(scorer, generated_images(loaded, seed, 50'000));
//   const ImageScores scores = score_images(generated, real, {.seed = seed});
ImageScores score_images(const Features& images, const ScoreOptions& options);
// All scores. Both arguments must come from the same scorer. Throws an Error if there are too few images for a score.
ImageScores score_images(const Features& images, const Features& real, const ScoreOptions& options);

// All scores, or only Inception Score and class histogram if there are too few images for the distances.
ImageScores scores_as_far_as_enough(const Features& images, const Features& real, const ScoreOptions& options);

// Upper bound exp(H(y)) of the Inception Score, from the known labels of a set (inception_ceiling).
double label_ceiling(const ImageSet& set, int64_t classes);

// Draws `count` images without replacement by `seed`; returns all images if there are not more. The draw is independent
// of the shuffling in `score_images`.
Features drawn(const Features& images, int64_t count, int64_t seed);

// {"images", "splits", "images_per_split", "inception_score", "inception_score_std" (over splits), "inception_scores",
//  "histogram", "scorer", "scorer_digest"}. A comparison with real images adds {"real_images", "histogram_divergence",
//  "frechet_distance", "kernel_distance", "precision", "recall", "precision_recall_images": [images, real images]}.
Json to_json(const ImageScores& scores);

}  // namespace frgan
