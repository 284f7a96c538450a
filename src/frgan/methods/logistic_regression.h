// Multinomial logistic regression with an L2 penalty, and the choice of the penalty by cross-validation.
#pragma once

#include <cstdint>
#include <vector>

#include <torch/types.h>

namespace frgan {

// A linear classifier: the logits of features x are W x + b. Double, on the CPU.
struct LinearClassifier {
  at::Tensor weight;  // W, K x F
  at::Tensor bias;    // b, K
  // Features N x F to logits N x K.
  at::Tensor logits(const at::Tensor& features) const { return at::addmm(bias, features, weight.t()); }
};

// The minimum of sum_i -log softmax(W x_i + b)[y_i] + l2 / 2 ||W||^2 over W and b, by L-BFGS. With scikit-learn's
// LogisticRegression, l2 is 1 / C. `features` is N x F, `labels` is N x int64 in 0..K-1. The iterations begin at
// `start` if it is given.
LinearClassifier fit_logistic_regression(const at::Tensor& features, const at::Tensor& labels, int64_t classes,
                                         double l2, const LinearClassifier* start = nullptr);

// The fold in which each image is held out, N x int64; -1 for the only image of a class. Images of a class are dealt to
// the folds in turn, and the next class continues where the last one ended. `key` selects the order. `labels` is on the
// CPU.
at::Tensor folds_of(const at::Tensor& labels, int64_t classes, int64_t folds, uint64_t key);

struct CrossValidation {
  double l2 = 0;             // the penalty with the smallest loss
  std::vector<double> l2s;   // all penalties, in descending order
  std::vector<double> loss;  // of each penalty: the mean of -log p over the images that were held out
  at::Tensor held_out;       // int64: the images that were held out; all but those that are the only one of their class
  at::Tensor logits;         // of these images with `l2`, by the classifiers that did not see them
};

// Chooses among penalties from 1e-2 to 1e5; or if `l2` is not 0, uses this one. Each of `folds` parts of the images is
// held out once, while the classifier is fitted to the others. The parts have the same mix of classes. The only image
// of a class is never held out. `key` selects the parts. The penalties suit features whose squares have the mean 1
// (features_scale).
CrossValidation cross_validate(const at::Tensor& features, const at::Tensor& labels, int64_t classes, int64_t folds,
                               uint64_t key, double l2 = 0);

// The root of the mean square of the features; 1 if all are 0.
double features_scale(const at::Tensor& features);

}  // namespace frgan
