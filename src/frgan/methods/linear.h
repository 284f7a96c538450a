// Logistic regression on the features of a frozen network.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "frgan/methods/logistic_regression.h"
#include "frgan/methods/method.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// The network is an encoder with published weights, of which only the last layer is fitted: multinomial logistic
// regression on the labeled images (logistic_regression.h). Unlabeled images are not used. The strength of the penalty
// is --l2, or is cross-validated over the labels.
//
// `initialize` solves the whole problem. The only step of a run changes nothing and logs the loss. Methods with another
// problem derive from this class.
class Linear : public Method {
 public:
  Linear() { network_.network = "resnet18"; }
  void describe(OptionSet& options) override;
  void validate() const override;
  void build(const Problem& problem) override;
  std::vector<Player> players() const override;
  std::vector<Schedule> schedules() const override;
  std::vector<Stage> stages() override;
  NetworkPtr make_classifier(const Problem& problem) const override;
  NetworkPtr encoder() const override { return classifier_; }
  NamedTensors state() const override;
  std::optional<CrossValidated> cross_validated() const override;

 protected:
  // The problem of logistic regression, and its solution.
  struct Fit {
    double scale = 1;     // features are divided by it
    at::Tensor features;  // of the labeled images: N x F, double, on the CPU, scaled
    at::Tensor labels;    // N, on the CPU
    double l2 = 1;        // --l2 or cross-validated
    uint64_t key = 0;     // of the folds
    LinearClassifier classifier;
  };
  // The images that `fit` and `losses` need.
  virtual BatchRequest request() const;
  // The classifier of scaled features, found from the solution of logistic regression.
  virtual LinearClassifier fit(const Fit& labeled, const Batch& /*batch*/) { return labeled.classifier; }
  virtual Losses losses(const Batch& batch);
  // Records the logits of the labeled images `held_out`, by classifiers of the same kind that did not see them.
  void set_cross_validated(const at::Tensor& labels, const at::Tensor& held_out, const at::Tensor& logits);

  int64_t labeled_images() const { return std::max<int64_t>(problem_.labeled_images, problem_.shape.classes); }
  const Problem& problem() const { return problem_; }
  int64_t folds() const { return folds_; }
  Classified classified(const at::Tensor& view) const {
    return classifier_->forward(view, {.precision = problem_.precision});
  }
  // N x F, double, on the CPU.
  at::Tensor features_of(const at::Tensor& view) const { return classified(view).features.to(at::kCPU, at::kDouble); }

 private:
  void initialize(const Batch& batch);

  double l2_ = 0;
  int64_t folds_ = 5;
  NetworkOptions network_;
  Problem problem_;
  NetworkPtr classifier_, average_;
  // Of the labeled images: the logits of classifiers that did not see them, and the labels; -1 for those that no part
  // of the cross-validation held out.
  at::Tensor held_out_logits_, held_out_labels_;
};

}  // namespace frgan
