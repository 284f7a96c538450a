#include "frgan/metrics/precision_recall.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr int64_t kBlockRows = 256;

// Applies `reduce` to the squared distances between blocks of rows of `from` and all rows of `to`, and concatenates the
// results.
template <class Reduce>
at::Tensor reduce_distances(const at::Tensor& from, const at::Tensor& to, Reduce reduce) {
  const at::Tensor transposed = to.t(), to_squares = to.square().sum(1);
  std::vector<at::Tensor> blocks;
  for (int64_t first = 0; first < from.size(0); first += kBlockRows) {
    const at::Tensor rows = from.narrow(0, first, std::min(kBlockRows, from.size(0) - first));
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
