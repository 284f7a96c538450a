#include "frgan/metrics/inception_score.h"

#include <cmath>
#include <numeric>

#include <ATen/TensorOperators.h>
#include <ATen/ops/xlogy.h>
#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

double split_score(const at::Tensor& probabilities) {
  const at::Tensor p = probabilities.to(at::kDouble);
  const at::Tensor divergence = (at::xlogy(p, p) - at::xlogy(p, p.mean(0))).sum(1);
  return std::exp(divergence.mean().item<double>());
}

}  // namespace

InceptionScore inception_score(const at::Tensor& probabilities, int64_t splits) {
  TORCH_CHECK(probabilities.dim() == 2 && splits >= 1,
              "inception_score needs N x K probabilities and at least one split");
  const int64_t count = probabilities.size(0);
  if (count < splits) {
    throw Error(
        fmt::format("too few images for an Inception Score: {} images for {} splits; give more images or --splits {}",
                    count, splits, std::max<int64_t>(count, 1)));
  }
  InceptionScore score;
  for (int64_t s = 0; s < splits; ++s) {
    const int64_t first = s * count / splits, end = (s + 1) * count / splits;
    score.splits.push_back(split_score(probabilities.narrow(0, first, end - first)));
  }
  const auto n = static_cast<double>(splits);
  score.mean = std::accumulate(score.splits.begin(), score.splits.end(), 0.0) / n;
  for (const double value : score.splits) score.deviation += (value - score.mean) * (value - score.mean) / n;
  score.deviation = std::sqrt(score.deviation);
  return score;
}

double inception_ceiling(std::span<const int64_t> class_counts) {
  const auto total = static_cast<double>(std::accumulate(class_counts.begin(), class_counts.end(), int64_t{0}));
  double entropy = 0;
  for (const int64_t count : class_counts) {
    const double share = static_cast<double>(count) / total;
    if (count > 0) entropy -= share * std::log(share);
  }
  return std::exp(entropy);
}

}  // namespace frgan
