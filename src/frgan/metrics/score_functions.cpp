#include "frgan/metrics/score_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/triu_indices.h>
#include <ATen/ops/xlogy.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/metrics/evaluation.h"

namespace frgan {

// Inception Score
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

// Class histogram
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

// Frechet distance
namespace {

constexpr int64_t kCovarianceRows = 4096;  // rows that are converted to float64 at a time

struct Moments {
  at::Tensor mean;        // F, float64
  at::Tensor covariance;  // F x F
};

Moments moments_of(const at::Tensor& features) {
  const int64_t count = features.size(0), size = features.size(1);
  if (count <= size) {
    throw Error(
        fmt::format("too few images for a Frechet distance: {} images for {} features; at least {} are needed, 10,000 "
                    "or more are recommended",
                    count, size, size + 1));
  }
  const at::Tensor mean = features.sum(0, /*keepdim=*/false, at::kDouble) / static_cast<double>(count);
  at::Tensor covariance = at::zeros({size, size}, at::kDouble);
  for (int64_t first = 0; first < count; first += kCovarianceRows) {
    const at::Tensor rows = features.narrow(0, first, std::min(kCovarianceRows, count - first)).to(at::kDouble) - mean;
    covariance += at::matmul(rows.t(), rows);
  }
  return {mean, covariance / static_cast<double>(count - 1)};
}

// Square root of a symmetric positive semidefinite matrix; small negative eigenvalues due to rounding count as 0.
at::Tensor square_root(const at::Tensor& matrix) {
  const auto [values, vectors] = at::linalg_eigh(matrix);
  return at::matmul(vectors * values.clamp_min(0).sqrt(), vectors.t());
}

}  // namespace

double frechet_distance(const at::Tensor& first, const at::Tensor& second) {
  TORCH_CHECK(first.dim() == 2 && second.dim() == 2 && first.size(1) == second.size(1),
              "frechet_distance takes N x F and M x F");
  const Moments a = moments_of(first), b = moments_of(second);
  const at::Tensor root = square_root(a.covariance);
  const at::Tensor product = at::matmul(at::matmul(root, b.covariance), root);
  const at::Tensor values = at::linalg_eigvalsh((product + product.t()) / 2);
  const at::Tensor trace = a.covariance.trace() + b.covariance.trace() - 2 * values.clamp_min(0).sqrt().sum();
  return std::max(0.0, ((a.mean - b.mean).square().sum() + trace).item<double>());
}

// Kernel distance
namespace {

constexpr int64_t kMaxMomentFeatures = 256;  // the third moment of 256 features takes 67 MB
constexpr int64_t kMomentBlockRows = 256;
constexpr int64_t kPairBlockRows = 1024;

template <class Visit>
void for_each_block(const at::Tensor& rows, int64_t block_rows, Visit visit) {
  for (int64_t first = 0; first < rows.size(0); first += block_rows) {
    visit(rows.narrow(0, first, std::min(block_rows, rows.size(0) - first)).to(at::kDouble));
  }
}

at::Tensor kernel_of_products(const at::Tensor& products, int64_t size) {
  const at::Tensor base = products / static_cast<double>(size) + 1;
  return base * base * base;
}

// Sum of k(x_i, x_i), which the unbiased estimate excludes.
double diagonal_sum(const at::Tensor& rows) {
  double sum = 0;
  for_each_block(rows, kPairBlockRows, [&](const at::Tensor& x) {
    sum += kernel_of_products(x.square().sum(1), x.size(1)).sum().item<double>();
  });
  return sum;
}

double sum_over_pairs(const at::Tensor& first, const at::Tensor& second) {
  double sum = 0;
  for_each_block(first, kPairBlockRows, [&](const at::Tensor& x) {
    for_each_block(second, kPairBlockRows, [&](const at::Tensor& y) {
      sum += kernel_of_products(at::matmul(x, y.t()), x.size(1)).sum().item<double>();
    });
  });
  return sum;
}

// Sums over rows x of x_a, x_b x_c and x_a x_b x_c. By symmetry in b and c, only pairs b <= c are stored.
struct MomentSums {
  int64_t count = 0;
  at::Tensor first;       // F
  at::Tensor second;      // F(F + 1)/2
  at::Tensor third;       // F x F(F + 1)/2
  at::Tensor occurrence;  // F(F + 1)/2: 1 where b = c, 2 elsewhere
};

MomentSums moment_sums(const at::Tensor& rows) {
  const int64_t size = rows.size(1);
  const at::Tensor pairs = at::triu_indices(size, size);
  const at::Tensor b = pairs[0].contiguous(), c = pairs[1].contiguous();
  const at::TensorOptions real(at::kDouble);
  MomentSums sums{rows.size(0), at::zeros({size}, real), at::zeros({b.numel()}, real),
                  at::zeros({size, b.numel()}, real), 2.0 - b.eq(c).to(at::kDouble)};
  for_each_block(rows, kMomentBlockRows, [&](const at::Tensor& x) {
    const at::Tensor products = x.index_select(1, b) * x.index_select(1, c);
    sums.first += x.sum(0);
    sums.second += products.sum(0);
    sums.third.addmm_(x.t(), products);
  });
  return sums;
}

// Sum of k over all pairs, with s = x . y and (s/F + 1)^3 = s^3/F^3 + 3 s^2/F^2 + 3 s/F + 1.
double sum_over_pairs(const MomentSums& x, const MomentSums& y) {
  const auto size = static_cast<double>(x.first.numel());
  const double s1 = at::dot(x.first, y.first).item<double>();
  const double s2 = (x.second * y.second * x.occurrence).sum().item<double>();
  const double s3 = (x.third * y.third * x.occurrence).sum().item<double>();
  return s3 / (size * size * size) + 3 * s2 / (size * size) + 3 * s1 / size +
         static_cast<double>(x.count) * static_cast<double>(y.count);
}

// The distance from sums over all pairs, including the pairs of an image with itself.
double distance(double within_first, double within_second, double between, const at::Tensor& first,
                const at::Tensor& second) {
  const auto n = static_cast<double>(first.size(0)), m = static_cast<double>(second.size(0));
  return (within_first - diagonal_sum(first)) / (n * (n - 1)) + (within_second - diagonal_sum(second)) / (m * (m - 1)) -
         2 * between / (n * m);
}

void check_sizes(const at::Tensor& first, const at::Tensor& second) {
  TORCH_CHECK(first.dim() == 2 && second.dim() == 2 && first.size(1) == second.size(1),
              "kernel_distance needs N x F and M x F features");
  const int64_t fewer = std::min(first.size(0), second.size(0));
  if (fewer < 2) {
    throw Error(fmt::format("too few images for a kernel distance: {} in a set; at least 2 are needed", fewer));
  }
}

}  // namespace

double kernel_distance(const at::Tensor& first, const at::Tensor& second) {
  return first.size(1) <= kMaxMomentFeatures ? kernel_distance_by_moments(first, second)
                                             : kernel_distance_by_pairs(first, second);
}

double kernel_distance_by_moments(const at::Tensor& first, const at::Tensor& second) {
  check_sizes(first, second);
  const MomentSums x = moment_sums(first), y = moment_sums(second);
  return distance(sum_over_pairs(x, x), sum_over_pairs(y, y), sum_over_pairs(x, y), first, second);
}

double kernel_distance_by_pairs(const at::Tensor& first, const at::Tensor& second) {
  check_sizes(first, second);
  return distance(sum_over_pairs(first, first), sum_over_pairs(second, second), sum_over_pairs(first, second), first,
                  second);
}

// Precision and recall
namespace {

constexpr int64_t kDistanceRows = 256;

// Applies `reduce` to the squared distances between blocks of rows of `from` and all rows of `to`, and concatenates the
// results.
template <class Reduce>
at::Tensor reduce_distances(const at::Tensor& from, const at::Tensor& to, Reduce reduce) {
  const at::Tensor transposed = to.t(), to_squares = to.square().sum(1);
  std::vector<at::Tensor> blocks;
  for (int64_t first = 0; first < from.size(0); first += kDistanceRows) {
    const at::Tensor rows = from.narrow(0, first, std::min(kDistanceRows, from.size(0) - first));
    at::Tensor distances = at::matmul(rows, transposed);
    distances.mul_(-2).add_(rows.square().sum(1, /*keepdim=*/true)).add_(to_squares).clamp_min_(0);
    blocks.push_back(reduce(distances));
  }
  return at::cat(blocks);
}

// Squared distance of each row to its k-th nearest other row.
at::Tensor radii(const at::Tensor& rows, int64_t k) {
  return reduce_distances(rows, rows, [k](const at::Tensor& distances) {
    // k + 1, because the nearest row is the row itself. topk is about eight times as fast as kthvalue.
    return std::get<0>(distances.topk(k + 1, 1, /*largest=*/false)).select(1, k);
  });
}

// Fraction of `points` that lie in the ball of at least one row of `centers`.
double covered_fraction(const at::Tensor& points, const at::Tensor& centers, const at::Tensor& squared_radii) {
  const at::Tensor covered = reduce_distances(
      points, centers, [&](const at::Tensor& distances) { return distances.le(squared_radii).any(1); });
  return covered.to(at::kDouble).mean().item<double>();
}

}  // namespace

PrecisionRecall precision_recall(const at::Tensor& generated, const at::Tensor& real, int64_t k) {
  TORCH_CHECK(generated.dim() == 2 && real.dim() == 2 && generated.size(1) == real.size(1) && k >= 1,
              "precision_recall needs N x F and M x F features, and k of at least 1");
  const int64_t fewer = std::min(generated.size(0), real.size(0));
  if (fewer <= k) {
    throw Error(
        fmt::format("too few images for precision and recall: {} in a set; {} nearest neighbors need at least {}",
                    fewer, k, k + 1));
  }
  const at::Tensor x = generated.to(at::kDouble), y = real.to(at::kDouble);
  return {covered_fraction(x, y, radii(y, k)), covered_fraction(y, x, radii(x, k))};
}

}  // namespace frgan
