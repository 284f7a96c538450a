#include "frgan/metrics/class_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "frgan/metrics/evaluation.h"

namespace frgan {

std::vector<int64_t> class_histogram(const at::Tensor& probabilities) {
  std::vector<int64_t> counts(static_cast<size_t>(probabilities.size(1)));
  for (const int64_t label : most_probable(probabilities)) ++counts[static_cast<size_t>(label)];
  return counts;
}

double histogram_divergence(std::span<const int64_t> counts, std::span<const int64_t> real_counts) {
  TORCH_CHECK(counts.size() == real_counts.size(), "class histograms differ in size: ", counts.size(), " and ",
              real_counts.size());
  const auto total = [](std::span<const int64_t> numbers) {
    return static_cast<double>(std::accumulate(numbers.begin(), numbers.end(), int64_t{0}));
  };
  const double images = total(counts), real_images = total(real_counts);
  double divergence = 0;
  for (size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) continue;
    if (real_counts[k] == 0) return std::numeric_limits<double>::infinity();
    const double p = static_cast<double>(counts[k]) / images;
    divergence += p * std::log(p / (static_cast<double>(real_counts[k]) / real_images));
  }
  return std::max(0.0, divergence);  // rounding can give tiny negative values
}

}  // namespace frgan
