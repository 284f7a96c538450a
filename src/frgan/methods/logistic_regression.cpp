#include "frgan/methods/logistic_regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <torch/optim/lbfgs.h>

#include "frgan/device/random.h"

namespace frgan {
namespace {

constexpr int64_t kMostIterations = 1000;
constexpr double kGradientTolerance = 1e-6;  // per image
// Of the penalties: 10^5 to 10^-2, two in each decade.
constexpr int kStrongestExponent = 5, kWeakestExponent = -2, kPenaltiesPerDecade = 2;

// Coordinates in which images with more features than there are images have only N numbers. Lengths and inner products
// are those of the features, so the penalty of a classifier is the same.
struct Coordinates {
  at::Tensor values;  // N x min(N, F)
  at::Tensor basis;   // F x min(N, F), orthonormal; undefined if the features themselves are the coordinates

  explicit Coordinates(const at::Tensor& features) : values(features) {
    if (features.size(0) >= features.size(1)) return;
    const auto [q, r] = at::linalg_qr(features.t());
    basis = q;
    values = r.t().contiguous();
  }
  at::Tensor to_features(const at::Tensor& weight) const { return basis.defined() ? weight.matmul(basis.t()) : weight; }
  at::Tensor from_features(const at::Tensor& weight) const { return basis.defined() ? weight.matmul(basis) : weight; }
};

LinearClassifier fit(const at::Tensor& x, const at::Tensor& labels, int64_t classes, double l2,
                     const LinearClassifier* start) {
  const at::Tensor weight = start == nullptr ? at::zeros({classes, x.size(1)}, x.options()) : start->weight.clone();
  const at::Tensor bias = start == nullptr ? at::zeros({classes}, x.options()) : start->bias.clone();
  const at::Tensor targets = at::one_hot(labels, classes).to(x.scalar_type());
  torch::optim::LBFGS optimizer({weight, bias}, torch::optim::LBFGSOptions(1)
                                                    .max_iter(kMostIterations)
                                                    .max_eval(2 * kMostIterations)
                                                    .tolerance_grad(kGradientTolerance * static_cast<double>(x.size(0)))
                                                    .tolerance_change(1e-12)
                                                    .history_size(20)
                                                    .line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    const at::Tensor log_p = at::addmm(bias, x, weight.t()).log_softmax(1);
    const at::Tensor error = log_p.exp() - targets;  // the gradient of the logits
    weight.mutable_grad() = error.t().matmul(x) + l2 * weight;
    bias.mutable_grad() = error.sum(0);
    return l2 / 2 * weight.square().sum() - (log_p * targets).sum();
  });
  weight.mutable_grad().reset();
  bias.mutable_grad().reset();
  return {weight, bias};
}

std::vector<double> penalties() {
  std::vector<double> all;
  for (int i = kStrongestExponent * kPenaltiesPerDecade; i >= kWeakestExponent * kPenaltiesPerDecade; --i) {
    all.push_back(std::pow(10.0, static_cast<double>(i) / kPenaltiesPerDecade));
  }
  return all;
}

}  // namespace

at::Tensor folds_of(const at::Tensor& labels, int64_t classes, int64_t folds, uint64_t key) {
  const int64_t* const label = labels.data_ptr<int64_t>();
  const at::Tensor permutation = random_permutation(labels.size(0), key);
  const int64_t* const order = permutation.data_ptr<int64_t>();
  std::vector<std::vector<int64_t>> by_class(static_cast<size_t>(classes));
  for (int64_t i = 0; i < labels.size(0); ++i) by_class[static_cast<size_t>(label[order[i]])].push_back(order[i]);
  std::vector<int64_t> fold(static_cast<size_t>(labels.size(0)), -1);
  int64_t next = 0;
  for (const std::vector<int64_t>& images : by_class) {
    if (images.size() < 2) continue;
    for (const int64_t image : images) fold[static_cast<size_t>(image)] = next++ % folds;
  }
  return at::tensor(fold, at::kLong);
}

double features_scale(const at::Tensor& features) {
  const auto scale = features.to(at::kDouble).square().mean().sqrt().item<double>();
  return scale > 0 ? scale : 1;
}

LinearClassifier fit_logistic_regression(const at::Tensor& features, const at::Tensor& labels, int64_t classes,
                                         double l2, const LinearClassifier* start) {
  const torch::NoGradGuard no_grad;
  const Coordinates coordinates(features.to(at::kCPU, at::kDouble));
  LinearClassifier from;
  if (start != nullptr) from = {coordinates.from_features(start->weight), start->bias};
  const LinearClassifier found = fit(coordinates.values, labels.cpu(), classes, l2, start == nullptr ? nullptr : &from);
  return {coordinates.to_features(found.weight), found.bias};
}

CrossValidation cross_validate(const at::Tensor& features, const at::Tensor& labels, int64_t classes, int64_t folds,
                               uint64_t key, double l2) {
  const torch::NoGradGuard no_grad;
  const Coordinates coordinates(features.to(at::kCPU, at::kDouble));
  const at::Tensor& x = coordinates.values;
  const at::Tensor y = labels.cpu().contiguous();
  const std::vector<double> l2s = l2 > 0 ? std::vector{l2} : penalties();
  const at::Tensor fold = folds_of(y, classes, folds, key);
  const at::Tensor logits = at::zeros({std::ssize(l2s), x.size(0), classes}, x.options());
  for (int64_t part = 0; part < folds; ++part) {
    const at::Tensor held = fold.eq(part).nonzero().flatten(), rest = fold.ne(part).nonzero().flatten();
    if (held.numel() == 0) continue;
    const at::Tensor seen = x.index_select(0, rest), seen_labels = y.index_select(0, rest);
    LinearClassifier last;
    for (size_t i = 0; i < l2s.size(); ++i) {  // each fit begins at the solution with the next stronger penalty
      last = fit(seen, seen_labels, classes, l2s[i], i == 0 ? nullptr : &last);
      logits[static_cast<int64_t>(i)].index_copy_(0, held, last.logits(x.index_select(0, held)));
    }
  }
  CrossValidation result;
  result.l2s = l2s;
  result.held_out = fold.ge(0).nonzero().flatten();
  if (result.held_out.numel() == 0) {  // one image per class: nothing to measure
    result.l2 = l2 > 0 ? l2 : 1;
    result.logits = at::zeros({0, classes}, x.options());
    return result;
  }
  const at::Tensor held_labels = y.index_select(0, result.held_out).unsqueeze(1);
  double best = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < l2s.size(); ++i) {
    const at::Tensor held_logits = logits[static_cast<int64_t>(i)].index_select(0, result.held_out);
    result.loss.push_back(-held_logits.log_softmax(1).gather(1, held_labels).mean().item<double>());
    if (result.loss.back() >= best) continue;
    best = result.loss.back();
    result.l2 = l2s[i];
    result.logits = held_logits;
  }
  return result;
}

}  // namespace frgan
