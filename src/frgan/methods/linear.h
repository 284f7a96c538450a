// Logistic regression on the features of a frozen network.
#pragma once

#include <optional>
#include <vector>

#include "frgan/methods/method.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// The network is an encoder with published weights, of which only the last layer is fitted: multinomial logistic
// regression on the labeled images (logistic_regression.h). Unlabeled images are not used. The strength of the penalty
// is --l2, or is cross-validated over the labels.
//
// `initialize` solves the whole problem. The only step of a run changes nothing and logs the loss.
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

 private:
  int64_t labeled_images() const;
  void fit(const Batch& labeled);
  std::vector<Losses> losses(const Batch& batch);

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
