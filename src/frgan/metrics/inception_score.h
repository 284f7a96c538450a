// Inception Score (Salimans et al. 2016). It is high if each image clearly belongs to one class and all classes occur.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

struct InceptionScore {
  double mean = 0;       // mean over the splits, 1 to K
  double deviation = 0;  // standard deviation over the splits (not over seeds), divided by their number as numpy.std
  std::vector<double> splits;  // score of each split
};

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

}  // namespace frgan
