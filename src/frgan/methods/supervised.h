// Supervised baseline: the classifier of FR-GAN, trained on the labeled images only (eq. 5).
#pragma once

#include "frgan/methods/classifier_training.h"
#include "frgan/methods/method.h"
#include "frgan/nn/discriminator.h"

namespace frgan {

class Supervised : public Method {
 public:
  void describe(OptionSet& options) override;
  void build(const Problem& problem) override;
  std::vector<Player> players() const override;
  std::vector<Schedule> schedules() const override { return schedules_of(training_); }
  std::vector<Stage> stages() override;
  double step_flop() const override;
  Discriminator make_classifier() const override;

 private:
  std::vector<Losses> losses(const Batch& batch);

  ClassifierTraining training_;
  DiscriminatorOptions network_;
  Problem problem_;
  Discriminator discriminator_{nullptr};
};

}  // namespace frgan
