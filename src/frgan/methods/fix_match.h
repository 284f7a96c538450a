// FixMatch: "FixMatch: simplifying semi-supervised learning with consistency and confidence" (Sohn et al. 2020).
#pragma once

#include <vector>

#include "frgan/methods/classifier_training.h"
#include "frgan/methods/method.h"
#include "frgan/nn/network_options.h"

namespace frgan {

struct FixMatchOptions {
  int64_t unlabeled_ratio = 7;
  double threshold = 0.95;
  double unlabeled_weight = 1;
};
// Declares each field as an option, with its meaning and range (docs/options.md).
void describe(OptionSet& options, FixMatchOptions& fix_match);

// The confident predictions for weakly augmented images are the labels of the same images with strong augmentation. The
// weight average is the classifier.
//
// Differences from the authors' program, where all images share one pass: labeled and strongly augmented images share
// one pass and its batch statistics. The weakly augmented images have their own pass, without gradients, which saves a
// backward pass. Both passes update the running statistics.
class FixMatch : public Method {
 public:
  FixMatch();
  void describe(OptionSet& options) override;
  void validate() const override { check_network(network_, training_.batch_size); }
  void build(const Problem& problem) override;
  std::vector<Player> players() const override;
  std::vector<Schedule> schedules() const override;
  std::vector<Stage> stages() override;
  NetworkPtr make_classifier(const Problem& problem) const override { return build_network(network_, problem); }

 private:
  double step_flop() const;
  int64_t unlabeled_images() const { return fix_match_.unlabeled_ratio * training_.batch_size; }
  std::vector<Losses> losses(const Batch& batch);

  ClassifierTraining training_;
  FixMatchOptions fix_match_;
  NetworkOptions network_;
  Problem problem_;
  NetworkPtr classifier_, average_;
};

}  // namespace frgan
