#include "frgan/methods/mean_teacher.h"

#include "frgan/losses/classification.h"
#include "frgan/losses/consistency.h"
#include "frgan/methods/joint_pass.h"

namespace frgan {

MeanTeacher::MeanTeacher() {
  network_.network = "conv-large";
  training_.learning_rate = 3e-3;
  training_.optimizer.beta1 = 0.9;
  training_.average_decay = 0.999;
}

void MeanTeacher::describe(OptionSet& options) {
  frgan::describe(options, training_);
  describe_weight(options, consistency_);
  describe_ramp(options, consistency_);
  frgan::describe(options, network_);
}

void MeanTeacher::build(const Problem& problem) {
  problem_ = problem;
  student_ = make_classifier(problem);
  teacher_ = make_classifier(problem);
}

std::vector<Player> MeanTeacher::players() const {
  const Follower teacher{kAverage, teacher_, "average_decay", FollowerBuffers::kOwn};
  return {{"student", student_, training_.optimizer, "learning_rate", {teacher}}};
}

std::vector<Schedule> MeanTeacher::schedules() const {
  std::vector<Schedule> schedules = schedules_of(training_);
  schedules.push_back(schedule_of(consistency_));
  return schedules;
}

std::vector<Stage> MeanTeacher::stages() {
  const int64_t m = training_.batch_size;
  const BatchRequest batch{{{Pool::kLabeled, m}, {Pool::kAll, m, {kWeakPolicy, kWeakPolicy}}}};
  Stage stage = training_stage(student_, training_, problem_.precision);
  stage.phases = {{"student", batch, 1, {"student"}, [this](const Batch& images) { return losses(images); }}};
  stage.step_flop = step_flop();
  return {stage};
}

// Labeled and unlabeled images of the student, unlabeled ones of the teacher.
double MeanTeacher::step_flop() const {
  return static_cast<double>(training_.batch_size) * (2 * student_->training_flop() + teacher_->forward_flop());
}

std::vector<Losses> MeanTeacher::losses(const Batch& batch) {
  const int64_t classes = problem_.shape.classes;
  const DrawnImages &labeled_images = batch.from(Pool::kLabeled), &images = batch.from(Pool::kAll);
  JointPass pass;
  const size_t labeled = pass.add(labeled_images.views[0]), unlabeled = pass.add(images.views[0]);
  pass.run(*student_, training_pass(batch, problem_.precision, 0));
  at::Tensor targets;
  {
    const torch::NoGradGuard no_grad;
    const Classified taught = teacher_->forward(images.views[1], training_pass(batch, problem_.precision, 1));
    targets = consistency_target(ConsistencyTarget::kProbabilities, taught.logits, taught.features, classes);
  }
  const Classified student = pass.rows(unlabeled);
  const at::Tensor probabilities =
      consistency_target(ConsistencyTarget::kProbabilities, student.logits, student.features, classes);
  return {{{"supervised", "one", cross_entropy(pass.rows(labeled).logits, labeled_images.labels, classes)},
           {"consistency", "consistency_weight", consistency_loss(probabilities, targets, MseReduction::kMean)}}};
}

}  // namespace frgan
