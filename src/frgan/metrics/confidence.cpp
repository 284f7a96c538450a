#include "frgan/metrics/confidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace frgan {
namespace {

std::vector<ScoredPrediction> by_confidence(std::span<const ScoredPrediction> predictions) {
  std::vector<ScoredPrediction> sorted(predictions.begin(), predictions.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), &ScoredPrediction::confidence);
  return sorted;
}

// P(X <= k) for X of Binomial(n, p), from logarithms: the factors overflow for large n.
double binomial_tail(int64_t k, int64_t n, double p) {
  if (p <= 0) return 1;
  if (p >= 1) return k >= n ? 1 : 0;
  const auto count = static_cast<double>(n);
  double tail = 0;
  for (int64_t i = 0; i <= k; ++i) {
    const auto x = static_cast<double>(i);
    tail += std::exp(std::lgamma(count + 1) - std::lgamma(x + 1) - std::lgamma(count - x + 1) + x * std::log(p) +
                     (count - x) * std::log1p(-p));
  }
  return tail;
}

// Whether upper_error_bound(wrong, images, level) <= most, without computing the bound.
bool certifies(int64_t wrong, int64_t images, double most, double level) {
  return wrong < images && binomial_tail(wrong, images, most) <= 1 - level;
}

// Tests thresholds from the one that accepts `first` images on, and stops at the first that fails. `sorted` is in
// descending order of confidence.
std::optional<CertifiedThreshold> last_certified(const std::vector<ScoredPrediction>& sorted, int64_t first,
                                                 double most, double level) {
  const auto total = std::ssize(sorted);
  std::optional<CertifiedThreshold> found;
  int64_t accepted = 0, wrong = 0, allowed = -1;
  while (accepted < total) {
    const double threshold = sorted[static_cast<size_t>(accepted)].confidence;
    while (accepted < total && sorted[static_cast<size_t>(accepted)].confidence == threshold) {
      wrong += sorted[static_cast<size_t>(accepted)].correct ? 0 : 1;
      ++accepted;
    }
    int64_t now_allowed = allowed;
    while (certifies(now_allowed + 1, accepted, most, level)) ++now_allowed;
    // There is a test where one more error is allowed, and one of all images.
    const bool is_last = accepted == total && now_allowed >= 0;
    if (accepted < first || (now_allowed == allowed && !is_last)) continue;
    allowed = now_allowed;
    if (wrong > allowed) break;
    found = {threshold, accepted, wrong, static_cast<double>(accepted) / static_cast<double>(total),
             upper_error_bound(wrong, accepted, level)};
  }
  return found;
}

}  // namespace

std::vector<ReliabilityBin> reliability(std::span<const ScoredPrediction> predictions, int bins) {
  std::vector<ReliabilityBin> all(static_cast<size_t>(bins));
  for (const ScoredPrediction& prediction : predictions) {
    const double place = std::ceil(prediction.confidence * bins) - 1;
    ReliabilityBin& bin = all[static_cast<size_t>(std::clamp(place, 0.0, bins - 1.0))];
    ++bin.images;
    bin.confidence += prediction.confidence;
    bin.accuracy += prediction.correct ? 1 : 0;
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const auto images = static_cast<double>(all[i].images);
    all[i].low = static_cast<double>(i) / bins;
    all[i].high = static_cast<double>(i + 1) / bins;
    all[i].confidence /= images;
    all[i].accuracy /= images;
  }
  std::erase_if(all, [](const ReliabilityBin& bin) { return bin.images == 0; });
  return all;
}

double calibration_error(std::span<const ReliabilityBin> bins) {
  double sum = 0, images = 0;
  for (const ReliabilityBin& bin : bins) {
    sum += static_cast<double>(bin.images) * std::abs(bin.confidence - bin.accuracy);
    images += static_cast<double>(bin.images);
  }
  return images > 0 ? sum / images : 0;
}

std::vector<CoveragePoint> risk_coverage(std::span<const ScoredPrediction> predictions, size_t most_points) {
  const std::vector<ScoredPrediction> sorted = by_confidence(predictions);
  const size_t stride = std::max<size_t>(1, sorted.size() / std::max<size_t>(1, most_points));
  std::vector<CoveragePoint> curve;
  size_t wrong = 0, next = stride;
  for (size_t i = 0; i < sorted.size(); ++i) {
    wrong += sorted[i].correct ? 0 : 1;
    const size_t accepted = i + 1;
    const bool is_last = accepted == sorted.size();
    if (!is_last && (accepted < next || sorted[i].confidence == sorted[i + 1].confidence)) continue;
    curve.push_back({sorted[i].confidence, static_cast<double>(accepted) / static_cast<double>(sorted.size()),
                     static_cast<double>(wrong) / static_cast<double>(accepted)});
    next = accepted + stride;
  }
  return curve;
}

double auroc(std::span<const double> positives, std::span<const double> negatives) {
  if (positives.empty() || negatives.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted(negatives.begin(), negatives.end());
  std::ranges::sort(sorted);
  double pairs = 0;
  for (const double score : positives) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
    pairs += static_cast<double>(first - sorted.begin()) + static_cast<double>(last - first) / 2;
  }
  return pairs / (static_cast<double>(positives.size()) * static_cast<double>(negatives.size()));
}

double upper_error_bound(int64_t wrong, int64_t images, double level) {
  if (wrong >= images) return 1;
  double low = static_cast<double>(wrong) / static_cast<double>(images), high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (binomial_tail(wrong, images, middle) > 1 - level ? low : high) = middle;
  }
  return high;
}

int64_t images_to_certify(double most, double level) {
  if (most <= 0) return std::numeric_limits<int64_t>::max();
  if (most >= 1) return 1;
  return std::max<int64_t>(1, std::llround(std::ceil(std::log(1 - level) / std::log1p(-most) - 1e-9)));
}

std::optional<CertifiedThreshold> certified_threshold(std::span<const ScoredPrediction> held_out, double most,
                                                      double level) {
  const std::vector<ScoredPrediction> sorted = by_confidence(held_out);
  const auto fewest = [&](int64_t chains) {
    return images_to_certify(most, 1 - (1 - level) / static_cast<double>(chains));
  };
  int64_t chains = 1;
  while (fewest(chains + 1) <= std::ssize(sorted) >> chains) ++chains;
  std::optional<CertifiedThreshold> best;
  for (int64_t chain = 0; chain < chains; ++chain) {
    const double of_chain = 1 - (1 - level) / static_cast<double>(chains);
    const auto found = last_certified(sorted, fewest(chains) << chain, most, of_chain);
    if (found && (!best || found->images > best->images)) best = found;
  }
  return best;
}

}  // namespace frgan
