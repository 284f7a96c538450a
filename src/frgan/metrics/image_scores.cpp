#include "frgan/metrics/image_scores.h"

#include <algorithm>

#include <torch/types.h>

#include "frgan/core/random.h"
#include "frgan/metrics/class_histogram.h"
#include "frgan/metrics/frechet_distance.h"
#include "frgan/metrics/kernel_distance.h"

namespace frgan {
namespace {

// What an order is for.
constexpr uint64_t kSplits = 0, kPrecision = 1, kRealPrecision = 2, kSubset = 3;

at::Tensor order(int64_t count, int64_t seed, uint64_t purpose) {
  return random_permutation(count, random_key(static_cast<uint64_t>(seed), Stream::kScoreOrder, 0, purpose));
}

at::Tensor some_rows(const at::Tensor& rows, int64_t count, int64_t seed, uint64_t purpose) {
  return rows.index_select(0, order(rows.size(0), seed, purpose).narrow(0, 0, std::min(count, rows.size(0))));
}

Distances distances_of(const at::Tensor& features, const at::Tensor& real, const ScoreOptions& options) {
  const at::Tensor some = some_rows(features, options.drawn, options.seed, kPrecision);
  const at::Tensor some_real = some_rows(real, options.drawn, options.seed, kRealPrecision);
  return {frechet_distance(features, real), kernel_distance(features, real),
          precision_recall(some, some_real, options.neighbours), some.size(0), some_real.size(0)};
}

}  // namespace

ImageScores score_images(const Features& pictures, const ScoreOptions& options) {
  ImageScores scores;
  scores.pictures = pictures.size();
  const at::Tensor shuffled = pictures.probabilities.index_select(0, order(pictures.size(), options.seed, kSplits));
  scores.inception = inception_score(shuffled, options.splits);
  scores.histogram = class_histogram(pictures.probabilities);
  scores.scorer = pictures.scorer;
  scores.scorer_hash = pictures.scorer_hash;
  return scores;
}

ImageScores score_images(const Features& pictures, const Features& real, const ScoreOptions& options) {
  TORCH_CHECK(pictures.scorer_hash == real.scorer_hash, "pictures were looked at by ", pictures.scorer_hash,
              ", real ones by ", real.scorer_hash);
  ImageScores scores = score_images(pictures, options);
  scores.real_pictures = real.size();
  scores.histogram_divergence = histogram_divergence(scores.histogram, class_histogram(real.probabilities));
  if (pictures.features.defined()) scores.distances = distances_of(pictures.features, real.features, options);
  return scores;
}

ImageScores scores_as_far_as_enough(const Features& pictures, const Features& real, const ScoreOptions& options) {
  const int64_t features = real.features.defined() ? real.features.size(1) : 0;
  const bool enough = pictures.size() > std::max(features, options.neighbours);
  return enough ? score_images(pictures, real, options) : score_images(pictures, options);
}

double label_ceiling(const PictureSet& set, int64_t classes) {
  std::vector<int64_t> counts = class_counts(set, classes);
  counts.pop_back();  // of unknown class
  return inception_ceiling(counts);
}

Features drawn(const Features& pictures, int64_t count, int64_t seed) {
  if (count >= pictures.size()) return pictures;
  return pictures.rows(order(pictures.size(), seed, kSubset).narrow(0, 0, count));
}

nlohmann::ordered_json to_json(const ImageScores& scores) {
  const auto splits = static_cast<int64_t>(scores.inception.splits.size());
  nlohmann::ordered_json json = {{"pictures", scores.pictures},
                                 {"splits", splits},
                                 {"pictures_per_split", scores.pictures / splits},
                                 {"inception_score", scores.inception.mean},
                                 {"inception_score_std", scores.inception.deviation},
                                 {"inception_scores", scores.inception.splits},
                                 {"histogram", scores.histogram}};
  if (scores.real_pictures > 0) {
    json["real_pictures"] = scores.real_pictures;
    json["histogram_divergence"] = scores.histogram_divergence;  // infinite becomes null
  }
  if (const auto& distances = scores.distances) {
    json["frechet_distance"] = distances->frechet;
    json["kernel_distance"] = distances->kernel;
    json["precision"] = distances->balls.precision;
    json["recall"] = distances->balls.recall;
    json["precision_recall_pictures"] = {distances->drawn, distances->real_drawn};
  }
  json["scorer"] = scores.scorer;
  json["scorer_hash"] = scores.scorer_hash;
  return json;
}

}  // namespace frgan
