// Supervised baseline: the network of another method, trained on the labeled images only (eq. 5).
#pragma once

#include "frgan/methods/classifier_training.h"
#include "frgan/methods/method.h"
#include "frgan/nn/network_options.h"

namespace frgan {

class Supervised : public Method {
 public:
  void describe(OptionSet& options) override;
  void validate() const override { check_network(network_, training_.batch_size); }
  void build(const Problem& problem) override;
  std::vector<Player> players() const override;
  std::vector<Schedule> schedules() const override { return schedules_of(training_); }
  std::vector<Stage> stages() override;
  NetworkPtr make_classifier(const Problem& problem) const override { return build_network(network_, problem); }

 private:
  std::vector<Losses> losses(const Batch& batch);

  ClassifierTraining training_;
  NetworkOptions network_;
  Problem problem_;
  NetworkPtr discriminator_, average_;
};

}  // namespace frgan
