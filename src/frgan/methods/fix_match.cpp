#include "frgan/methods/fix_match.h"

#include "frgan/losses/classification.h"
#include "frgan/losses/pseudo_label.h"
#include "frgan/methods/joint_pass.h"

namespace frgan {

void describe(OptionSet& options, FixMatchOptions& fix_match) {
  options.group("FixMatch");
  options.add("unlabeled-ratio", fix_match.unlabeled_ratio,
              "Unlabeled images per labeled image in a step: --batch-size times this number.", Range<int64_t>{1, 64});
  options.add("threshold", fix_match.threshold, "Smallest probability at which a prediction becomes a label.",
              Range<double>{0, 1});
  options.add("unlabeled-weight", fix_match.unlabeled_weight, "Weight of the loss of unlabeled images.",
              Range<double>{0, 1000});
}

FixMatch::FixMatch() {
  network_.network = "wrn-28-2";
  training_.batch_size = 64;
  training_.learning_rate = 0.03;
  training_.decay_shape = DecayShape::kCosine;
  training_.optimizer.kind = OptimizerKind::kSgd;
  // The authors' L2 regularization of 5e-4 in the gradient is 5e-3 as decoupled decay with momentum 0.9.
  training_.optimizer.weight_decay = 5e-3;
  training_.average_decay = 0.999;
}

void FixMatch::describe(OptionSet& options) {
  frgan::describe(options, training_);
  frgan::describe(options, fix_match_);
  frgan::describe(options, network_);
}

void FixMatch::build(const Problem& problem) {
  problem_ = problem;
  classifier_ = make_classifier(problem);
  average_ = make_classifier(problem);
}

std::vector<Player> FixMatch::players() const {
  return {{"classifier", classifier_, training_.optimizer, "learning_rate", {{kAverage, average_, "average_decay"}}}};
}

std::vector<Schedule> FixMatch::schedules() const {
  std::vector<Schedule> schedules = schedules_of(training_);
  const double weight = fix_match_.unlabeled_weight;
  schedules.push_back({"unlabeled_weight", [=](double, double) { return weight; }});
  return schedules;
}

std::vector<Stage> FixMatch::stages() {
  const BatchRequest batch{
      {{Pool::kLabeled, training_.batch_size}, {Pool::kAll, unlabeled_images(), {kWeakPolicy, kStrongPolicy}}}};
  Stage stage = training_stage(classifier_, training_, problem_.precision);
  stage.phases = {{"classifier", batch, 1, {"classifier"}, [this](const Batch& images) { return losses(images); }}};
  stage.step_flop = step_flop();
  return {stage};
}

// Labeled and strongly augmented images are trained on; weakly augmented ones have a forward pass only.
double FixMatch::step_flop() const {
  const auto labeled = static_cast<double>(training_.batch_size), unlabeled = static_cast<double>(unlabeled_images());
  return (labeled + unlabeled) * classifier_->training_flop() + unlabeled * classifier_->forward_flop();
}

std::vector<Losses> FixMatch::losses(const Batch& batch) {
  const int64_t classes = problem_.shape.classes;
  const DrawnImages &labeled_images = batch.from(Pool::kLabeled), &images = batch.from(Pool::kAll);
  at::Tensor weak;
  {
    const torch::NoGradGuard no_grad;
    weak = classifier_->forward(images.views[0], training_pass(batch, problem_.precision, 1)).logits;
  }
  JointPass pass;
  const size_t labeled = pass.add(labeled_images.views[0]), strong = pass.add(images.views[1]);
  pass.run(*classifier_, training_pass(batch, problem_.precision, 0));
  const PseudoLabelLoss pseudo_labels =
      pseudo_label_loss(weak, pass.rows(strong).logits, fix_match_.threshold, classes);
  return {{{"supervised", "one", cross_entropy(pass.rows(labeled).logits, labeled_images.labels, classes)},
           {"pseudo_labels", "unlabeled_weight", pseudo_labels.loss},
           {"confident", "", pseudo_labels.confident}}};
}

}  // namespace frgan
