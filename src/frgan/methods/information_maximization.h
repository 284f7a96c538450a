// A linear classifier of features that learns from labels and from two views of all images.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/methods/logistic_regression.h"

namespace frgan {

// The features of two views of the same images, N x F each.
struct FeatureViews {
  at::Tensor first, second;
  FeatureViews rows(const at::Tensor& index) const {
    return {first.index_select(0, index), second.index_select(0, index)};
  }
};

// Weights of the terms of `fit_information_maximization`.
struct InformationWeights {
  double l2 = 1;           // as in logistic_regression.h
  double information = 0;  // a
  double balance = 2;      // b
};

// Approximates a local minimum of
//
//   sum_i [CE(y_i, p(x_i)) + CE(y_i, p(x'_i))] / 2 + l2 / 2 ||W||^2
//     + a N {mean_j [CE(p(x_j), p(x'_j)) + CE(p(x'_j), p(x_j))] / 2 - b H(mean_j p(x_j) / 2 + p(x'_j) / 2)}
//
// by at most `iterations` steps of L-BFGS from `start`. p(x) = softmax(W x + b), CE is the cross-entropy, H the
// entropy, x and x' are the views. i runs over the N labeled images, j over `all`. The term of a makes predictions
// confident, the same for both views, and balanced over all images. With b = 1 and x' = x, it is the negative mutual
// information of image and class (Krause, Perona & Gomes 2010); IMSAT adds the second view (Hu et al. 2017).
//
// Computes in the type of `all`, float or double, and returns double on the CPU. The result for a = 0 differs from
// logistic regression: it learns from both views of the labeled images.
LinearClassifier fit_information_maximization(const FeatureViews& labeled, const at::Tensor& labels,
                                              const FeatureViews& all, const InformationWeights& weights,
                                              const LinearClassifier& start, int64_t iterations);

struct InformationChoice {
  double information = 0;       // the weight a with the fewest errors
  at::Tensor held_out;          // int64: the labeled images that were held out
  at::Tensor logits;            // of their first views with this weight, by classifiers that did not see them
  std::vector<double> weights;  // all weights, in ascending order
  std::vector<double> error;    // of each weight: the share of errors among the labeled images that were held out
};

// Chooses a among 0, 0.1 and 0.3, or uses weights.information if it is not 0. The weight 0 is logistic regression on
// the first view. Each of `folds` parts of the labeled images is held out once, as in cross_validate, and is classified
// by its first view. Of equal weights, the smallest wins. At most 2,500 rows of `all` are used.
InformationChoice cross_validate_information(const FeatureViews& labeled, const at::Tensor& labels,
                                             const FeatureViews& all, int64_t classes,
                                             const InformationWeights& weights, int64_t folds, uint64_t key);

}  // namespace frgan
