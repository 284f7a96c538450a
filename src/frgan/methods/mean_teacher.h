// Mean Teacher: "Mean teachers are better role models" (Tarvainen & Valpola 2017).
#pragma once

#include <vector>

#include "frgan/methods/classifier_training.h"
#include "frgan/methods/consistency_ramp.h"
#include "frgan/methods/method.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// The student learns from labels, and from the teacher's probabilities for other views of the unlabeled images. The
// teacher is the average of the student, with its own batch statistics, and is the classifier.
//
// The labeled and the unlabeled images of the student share their batch statistics, as in the authors' code, where they
// are one batch. Dropout is on in both networks. Differences from their code: no ramp-up of the learning rate, constant
// betas, and a decay of the teacher of min(--average-decay, (t + 1) / (t + 10)) instead of 0.99 during the ramp-up.
class MeanTeacher : public Method {
 public:
  MeanTeacher();
  void describe(OptionSet& options) override;
  void validate() const override {
    frgan::validate(consistency_);
    check_network(network_, training_.batch_size);
  }
  void build(const Problem& problem) override;
  std::vector<Player> players() const override;
  std::vector<Schedule> schedules() const override;
  std::vector<Stage> stages() override;
  NetworkPtr make_classifier(const Problem& problem) const override { return build_network(network_, problem); }

 private:
  double step_flop() const;
  std::vector<Losses> losses(const Batch& batch);

  ClassifierTraining training_;
  ConsistencyRamp consistency_{.weight = 100, .start = 0, .end = 0.2};
  NetworkOptions network_;
  Problem problem_;
  NetworkPtr student_, teacher_;
};

}  // namespace frgan
