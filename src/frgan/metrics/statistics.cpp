#include "frgan/metrics/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <vector>

namespace frgan {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();

// P(|T| <= t) of Student's t with n degrees of freedom, an integer (Abramowitz and Stegun 26.7.3 and 26.7.4), where
// theta = atan(t / sqrt(n)).
double central_t_probability(double t, int64_t degrees) {
  const double theta = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(theta), sine = std::sin(theta);
  const bool odd = degrees % 2 == 1;
  double term = odd ? cosine : 1, sum = degrees > 1 ? term : 0;
  for (int64_t k = odd ? 2 : 1; k + 1 < degrees; k += 2) {
    term *= cosine * cosine * static_cast<double>(k) / static_cast<double>(k + 1);
    sum += term;
  }
  return odd ? 2 / std::numbers::pi * (theta + sine * sum) : sine * sum;
}

}  // namespace

double mean(std::span<const double> values) {
  if (values.empty()) return kNan;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::span<const double> values) {
  if (values.empty()) return kNan;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double late_median(std::span<const double> values) {
  constexpr size_t kLast = 20;
  return values.size() < kLast ? kNan : median(values.last(kLast));
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return kNan;
  const double center = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - center) * (value - center);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double t_quantile(int64_t degrees) {
  constexpr double kProbability = 0.95;
  double low = 0, high = 13;  // the largest quantile is 12.706
  while (high - low > 1e-12) {
    const double middle = (low + high) / 2;
    (central_t_probability(middle, degrees) < kProbability ? low : high) = middle;
  }
  return (low + high) / 2;
}

MeanInterval mean_interval(std::span<const double> values) {
  const auto count = static_cast<int64_t>(values.size());
  const double center = mean(values);
  if (count < 2) return {count, center, -kInfinity, kInfinity};
  const double half = t_quantile(count - 1) * standard_deviation(values) / std::sqrt(static_cast<double>(count));
  return {count, center, center - half, center + half};
}

}  // namespace frgan
