// The scores of generated images as pure functions of a scorer's outputs: N x K class probabilities and N x F features,
// on the CPU. docs/scores.md explains each score.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/metrics/image_scores.h"

namespace frgan {

// Inception Score (Salimans et al. 2016). It is high if each image clearly belongs to one class and all classes occur.
//
// N x K probabilities p(y|x), where each row sums to 1. Of S splits, split s has rows s N / S to (s + 1) N / S - 1. Its
// score, in float64 with 0 log 0 = 0, is
//   exp(mean over its rows of KL(p(y|x) || p(y))),   p(y) = mean of p(y|x) over the split.
// Rows are split in the given order. Shuffle them first: a split with only one class scores 1. Throws an Error if there
// are fewer rows than splits.
//
//   const InceptionScore score = inception_score(probabilities, 10);
InceptionScore inception_score(const at::Tensor& probabilities, int64_t splits);

// Upper bound exp(H(y)) of the Inception Score of images with these class counts: the score under a scorer that is
// always certain and correct.
double inception_ceiling(std::span<const int64_t> class_counts);

// Class histograms of image sets by a scorer's predictions: they show classes that a generator never produces.
//
// Counts of images by most probable class: N x K probabilities (CPU) -> K counts.
std::vector<int64_t> class_histogram(const at::Tensor& probabilities);

// KL(p || q) = sum p log(p / q) in nats, where p and q are the class shares of `counts` and `real_counts`. Both have K
// classes. The result is 0 for equal shares, and infinite if `counts` has a class that `real_counts` lacks.
double histogram_divergence(std::span<const int64_t> counts, std::span<const int64_t> real_counts);

// Frechet distance between the features of two sets of images (Heusel et al. 2017). With features of an ImageNet
// Inception network it is called FID.
//
// N x F and M x F features of any floating-point type -> distance between two normal distributions. These have the
// means mu and the covariances C of the features (C is divided by N - 1):
//   ||mu1 - mu2||^2 + Tr(C1 + C2 - 2 sqrt(C1 C2))
// It is computed in float64 and is at least 0. Tr sqrt(C1 C2) is the sum of the square roots of the eigenvalues of
// sqrt(C1) C2 sqrt(C1). That matrix is symmetric: no complex numbers occur, and nearly singular covariances work.
//
// The distance decreases with N, because the covariances are estimates: compare only distances of equal N and M. Throws
// an Error if a set has no more images than features, because its covariance is then singular.
double frechet_distance(const at::Tensor& first, const at::Tensor& second);

// Kernel distance (KID) between the features of two sets of images (Binkowski et al. 2018).
//
// N x F and M x F features of any floating-point type -> unbiased estimate of the squared maximum mean discrepancy with
// the cubic kernel k(x, y) = (x . y / F + 1)^3, in float64:
//   sum_{i != j} k(x_i, x_j) / N(N - 1) + sum_{i != j} k(y_i, y_j) / M(M - 1) - 2 sum_{i, j} k(x_i, y_j) / N M
// It uses all images; other programs average over subsets of 1,000. Its expectation does not depend on N and M. The
// estimate can be negative. Throws an Error if a set has fewer than two images.
double kernel_distance(const at::Tensor& first, const at::Tensor& second);

// The two algorithms of kernel_distance, which chooses by F; a test compares them. By moments: a sum of (x . y)^p over
// pairs is the inner product of the moments of order p. The third moment takes N F^3 / 2 multiply-adds, and no cost
// grows with N M. By pairs: N M F multiply-adds, computed in blocks.
double kernel_distance_by_moments(const at::Tensor& first, const at::Tensor& second);
double kernel_distance_by_pairs(const at::Tensor& first, const at::Tensor& second);

// Improved precision and recall of generated images, from features (Kynkaanniemi et al. 2019). Precision measures how
// many generated images look real, recall how much of the variety of real images is generated.
//
// N x F features of generated and M x F of real images, of any floating-point type. Distances are computed in float64.
// The ball of an image reaches to its k-th nearest neighbor in its own set, itself not counted, boundary included.
// Cost: (N + M)^2 F multiply-adds, and memory for a few hundred rows of N or M distances. Use about ten thousand images
// per set, as score_images does. Both results depend on N, M and k. Throws an Error if a set has at most k images.
PrecisionRecall precision_recall(const at::Tensor& generated, const at::Tensor& real, int64_t k = 3);

}  // namespace frgan
