#include "frgan/metrics/kernel_distance.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/triu_indices.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
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

}  // namespace frgan
