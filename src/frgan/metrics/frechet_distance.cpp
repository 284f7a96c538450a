#include "frgan/metrics/frechet_distance.h"

#include <algorithm>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_eigvalsh.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr int64_t kBlockRows = 4096;  // rows that are converted to float64 at a time

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
  for (int64_t first = 0; first < count; first += kBlockRows) {
    const at::Tensor rows = features.narrow(0, first, std::min(kBlockRows, count - first)).to(at::kDouble) - mean;
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

}  // namespace frgan
