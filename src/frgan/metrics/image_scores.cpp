#include "frgan/metrics/image_scores.h"

#include <algorithm>

#include <torch/types.h>

#include "frgan/data/dataset.h"
#include "frgan/device/random.h"
#include "frgan/metrics/features.h"
#include "frgan/metrics/score_functions.h"

namespace frgan {
namespace {

// Purposes of permutations; each purpose has its own random numbers.
constexpr uint64_t kSplits = 0, kPrecision = 1, kRealPrecision = 2, kSubset = 3;

at::Tensor permutation(int64_t count, int64_t seed, uint64_t purpose) {
  return random_permutation(count, random_key(static_cast<uint64_t>(seed), Stream::kScoreOrder, 0, purpose));
}

at::Tensor drawn_rows(const at::Tensor& rows, int64_t count, int64_t seed, uint64_t purpose) {
  return rows.index_select(0, permutation(rows.size(0), seed, purpose).narrow(0, 0, std::min(count, rows.size(0))));
}

Distances distances_of(const at::Tensor& features, const at::Tensor& real, const ScoreOptions& options) {
  const at::Tensor subset = drawn_rows(features, options.drawn, options.seed, kPrecision);
  const at::Tensor real_subset = drawn_rows(real, options.drawn, options.seed, kRealPrecision);
  return {frechet_distance(features, real), kernel_distance(features, real),
          precision_recall(subset, real_subset, options.neighbours), subset.size(0), real_subset.size(0)};
}

}  // namespace

ImageScores score_images(const Features& images, const ScoreOptions& options) {
  ImageScores scores;
  scores.images = images.size();
  const at::Tensor shuffled = images.probabilities.index_select(0, permutation(images.size(), options.seed, kSplits));
  scores.inception = inception_score(shuffled, options.splits);
  scores.histogram = class_histogram(images.probabilities);
  scores.scorer = images.scorer;
  scores.scorer_digest = images.scorer_digest;
  return scores;
}

ImageScores score_images(const Features& images, const Features& real, const ScoreOptions& options) {
  TORCH_CHECK(images.scorer_digest == real.scorer_digest, "scorers differ: ", images.scorer_digest, " for the images, ",
              real.scorer_digest, " for the real images");
  ImageScores scores = score_images(images, options);
  scores.real_images = real.size();
  scores.histogram_divergence = histogram_divergence(scores.histogram, class_histogram(real.probabilities));
  if (images.features.defined()) scores.distances = distances_of(images.features, real.features, options);
  return scores;
}

ImageScores scores_as_far_as_enough(const Features& images, const Features& real, const ScoreOptions& options) {
  const int64_t features = real.features.defined() ? real.features.size(1) : 0;
  const bool enough = images.size() > std::max(features, options.neighbours);
  return enough ? score_images(images, real, options) : score_images(images, options);
}

double label_ceiling(const ImageSet& set, int64_t classes) {
  std::vector<int64_t> counts = class_counts(set, classes);
  counts.pop_back();  // images of unknown class
  return inception_ceiling(counts);
}

Features drawn(const Features& images, int64_t count, int64_t seed) {
  if (count >= images.size()) return images;
  return images.rows(permutation(images.size(), seed, kSubset).narrow(0, 0, count));
}

Json to_json(const ImageScores& scores) {
  const auto splits = static_cast<int64_t>(scores.inception.splits.size());
  Json json = {{"images", scores.images},
               {"splits", splits},
               {"images_per_split", scores.images / splits},
               {"inception_score", scores.inception.mean},
               {"inception_score_std", scores.inception.deviation},
               {"inception_scores", scores.inception.splits},
               {"histogram", scores.histogram}};
  if (scores.real_images > 0) {
    json["real_images"] = scores.real_images;
    json["histogram_divergence"] = scores.histogram_divergence;  // infinity becomes null
  }
  if (const auto& distances = scores.distances) {
    json["frechet_distance"] = distances->frechet;
    json["kernel_distance"] = distances->kernel;
    json["precision"] = distances->balls.precision;
    json["recall"] = distances->balls.recall;
    json["precision_recall_images"] = {distances->drawn, distances->real_drawn};
  }
  json["scorer"] = scores.scorer;
  json["scorer_digest"] = scores.scorer_digest;
  return json;
}

}  // namespace frgan
