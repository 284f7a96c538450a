// Inception Score (Salimans et al. 2016): are generated images of one class each, and of all classes?
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

struct InceptionScore {
  double mean = 0;       // over the splits: 1 to K
  double deviation = 0;  // over the splits, as numpy.std has it (divided by their number): not over seeds
  std::vector<double> splits;
};

// N x K probabilities, rows of sum 1. Split s holds rows s N / S to (s + 1) N / S - 1 and scores
//   exp(mean over its rows of KL(p(y|x) || p(y))),   p(y) = mean of p(y|x) over the same split,
// in float64, with 0 log 0 = 0. Rows count in the order in which they come: shuffle them first, for a split of one
// class scores 1. Throws an Error where there are fewer rows than splits.
//
//   const InceptionScore score = inception_score(probabilities, 10);
InceptionScore inception_score(const at::Tensor& probabilities, int64_t splits);

// exp(H(y)) of images whose classes have these counts: what a scorer that is never in doubt and never wrong would
// give them, the most that any score of the same classes can be.
double inception_ceiling(std::span<const int64_t> class_counts);

}  // namespace frgan
