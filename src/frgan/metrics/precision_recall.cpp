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

constexpr int64_t kRowsAtOnce = 256;

// What `reduce` makes of the squared distances of each row of `from` (a block of them at once) to all rows of `to`.
template <class Reduce>
at::Tensor over_distances(const at::Tensor& from, const at::Tensor& to, Reduce reduce) {
  const at::Tensor transposed = to.t(), to_squares = to.square().sum(1);
  std::vector<at::Tensor> blocks;
  for (int64_t first = 0; first < from.size(0); first += kRowsAtOnce) {
    const at::Tensor rows = from.narrow(0, first, std::min(kRowsAtOnce, from.size(0) - first));
    at::Tensor distances = at::matmul(rows, transposed);
    distances.mul_(-2).add_(rows.square().sum(1, /*keepdim=*/true)).add_(to_squares).clamp_min_(0);
    blocks.push_back(reduce(distances));
  }
  return at::cat(blocks);
}

// Squared distance to the k-th nearest other row of the set.
at::Tensor radii(const at::Tensor& rows, int64_t k) {
  return over_distances(rows, rows, [k](const at::Tensor& distances) {
    // The nearest is the row itself. Some eight times as fast as kthvalue.
    return std::get<0>(distances.topk(k + 1, 1, /*largest=*/false)).select(1, k);
  });
}

// Share of `points` that lie within a ball about a row of `centres`.
double covered_share(const at::Tensor& points, const at::Tensor& centres, const at::Tensor& squared_radii) {
  const at::Tensor covered =
      over_distances(points, centres, [&](const at::Tensor& distances) { return distances.le(squared_radii).any(1); });
  return covered.to(at::kDouble).mean().item<double>();
}

}  // namespace

PrecisionRecall precision_recall(const at::Tensor& generated, const at::Tensor& real, int64_t k) {
  TORCH_CHECK(generated.dim() == 2 && real.dim() == 2 && generated.size(1) == real.size(1) && k >= 1,
              "precision_recall takes N x F and M x F, and k of at least 1");
  const int64_t fewer = std::min(generated.size(0), real.size(0));
  if (fewer <= k) {
    throw Error(
        fmt::format("precision and recall by the {} nearest neighbours need at least {} images in each set, "
                    "there are {}; give more images",
                    k, k + 1, fewer));
  }
  const at::Tensor x = generated.to(at::kDouble), y = real.to(at::kDouble);
  return {covered_share(x, y, radii(y, k)), covered_share(y, x, radii(x, k))};
}

}  // namespace frgan
