#include "frgan/methods/information_maximization.h"

#include <algorithm>
#include <iterator>

#include <torch/optim/lbfgs.h>
#include <torch/types.h>

#include "frgan/device/random.h"
#include "frgan/losses/information.h"

namespace frgan {
namespace {

constexpr int64_t kMostImages = 2500;     // of the cross-validation, of all images
constexpr int64_t kTrialIterations = 30;  // of each of its fits

at::Tensor log_probabilities(const at::Tensor& features, const at::Tensor& weight, const at::Tensor& bias) {
  return at::addmm(bias, features, weight.t()).log_softmax(1);
}

FeatureViews converted(const FeatureViews& views, at::ScalarType type) {
  return {views.first.to(at::kCPU, type), views.second.to(at::kCPU, type)};
}

}  // namespace

LinearClassifier fit_information_maximization(const FeatureViews& labeled, const at::Tensor& labels,
                                              const FeatureViews& all, const InformationWeights& weights,
                                              const LinearClassifier& start, int64_t iterations) {
  const torch::AutoGradMode with_gradients(true);
  const at::ScalarType type = all.first.scalar_type();
  const FeatureViews x = converted(labeled, type), u = converted(all, type);
  const at::Tensor weight = start.weight.to(at::kCPU, type, /*non_blocking=*/false, /*copy=*/true).requires_grad_(),
                   bias = start.bias.to(at::kCPU, type, /*non_blocking=*/false, /*copy=*/true).requires_grad_();
  const at::Tensor targets = at::one_hot(labels.cpu(), weight.size(0)).to(type);
  const double information = weights.information * static_cast<double>(targets.size(0));
  torch::optim::LBFGS optimizer({weight, bias}, torch::optim::LBFGSOptions(1)
                                                    .max_iter(iterations)
                                                    .max_eval(2 * iterations)
                                                    .tolerance_grad(1e-6 * static_cast<double>(targets.size(0)))
                                                    .tolerance_change(1e-9)
                                                    .history_size(10)
                                                    .line_search_fn("strong_wolfe"));
  optimizer.step([&] {
    optimizer.zero_grad();
    const at::Tensor of_labeled = log_probabilities(x.first, weight, bias) + log_probabilities(x.second, weight, bias);
    at::Tensor loss = weights.l2 / 2 * weight.square().sum() - (targets * of_labeled).sum() / 2;
    if (information > 0) {
      const at::Tensor log_p = log_probabilities(u.first, weight, bias),
                       log_q = log_probabilities(u.second, weight, bias);
      loss =
          loss + information * (cross_entropy_of_views(log_p, log_q) - weights.balance * entropy_of_mean(log_p, log_q));
    }
    loss.backward();
    return loss.detach();
  });
  return {weight.detach().to(at::kDouble), bias.detach().to(at::kDouble)};
}

InformationChoice cross_validate_information(const FeatureViews& labeled, const at::Tensor& labels,
                                             const FeatureViews& all, int64_t classes,
                                             const InformationWeights& weights, int64_t folds, uint64_t key) {
  InformationChoice choice;
  choice.weights = weights.information > 0 ? std::vector{weights.information} : std::vector<double>{0, 0.1, 0.3};
  choice.error.assign(choice.weights.size(), 0);
  const at::Tensor y = labels.cpu().contiguous(), fold = folds_of(y, classes, folds, key);
  const FeatureViews some =
      all.rows(random_permutation(all.first.size(0), key).slice(0, 0, kMostImages).to(all.first.device()));
  choice.held_out = fold.ge(0).nonzero().flatten();
  const at::Tensor logits = at::zeros({std::ssize(choice.weights), y.size(0), classes}, at::kDouble);
  for (int64_t part = 0; part < folds; ++part) {
    const at::Tensor held = fold.eq(part).nonzero().flatten(), rest = fold.ne(part).nonzero().flatten();
    if (held.numel() == 0) continue;
    const FeatureViews seen = labeled.rows(rest);
    const at::Tensor seen_labels = y.index_select(0, rest), held_labels = y.index_select(0, held),
                     x = labeled.first.index_select(0, held).to(at::kDouble);
    const LinearClassifier start = fit_logistic_regression(seen.first, seen_labels, classes, weights.l2);
    for (size_t i = 0; i < choice.weights.size(); ++i) {
      InformationWeights trial = weights;
      trial.information = choice.weights[i];
      const bool is_linear = trial.information == 0;
      const LinearClassifier found =
          is_linear ? start : fit_information_maximization(seen, seen_labels, some, trial, start, kTrialIterations);
      const at::Tensor of_held = found.logits(x);
      logits[static_cast<int64_t>(i)].index_copy_(0, held, of_held);
      choice.error[i] += of_held.argmax(1).ne(held_labels).sum().item<double>();
    }
  }
  for (double& error : choice.error) error /= std::max(1.0, static_cast<double>(choice.held_out.numel()));
  const auto best = std::distance(choice.error.begin(), std::ranges::min_element(choice.error));
  choice.information = choice.weights[static_cast<size_t>(best)];
  choice.logits = logits[best].index_select(0, choice.held_out);
  return choice;
}

}  // namespace frgan
