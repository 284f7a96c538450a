#include "frgan/methods/mean_teacher.h"

#include "frgan/device/random.h"
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
  Stage stage{.name = "training", .initial_batch = {{{Pool::kAll, training_.init_images}}}};
  stage.initialize = [this](const Batch& images) { initialize(images); };
  stage.phases = {{"student", batch, 1, {"student"}, [this](const Batch& images) { return losses(images); }}};
  stage.step_flop = step_flop();
  return {stage};
}

// Labeled and unlabeled images of the student, unlabeled ones of the teacher.
double MeanTeacher::step_flop() const {
  return static_cast<double>(training_.batch_size) * (2 * student_->training_flop() + teacher_->forward_flop());
}

ForwardPass MeanTeacher::training_pass(const Batch& batch, uint64_t part) const {
  return {.stochastic = true,
          .dropout_key = random_key(batch.dropout_key, Stream::kDropout, part),
          .precision = problem_.precision,
          .statistics = BatchStatistics::kBatchAndTrack,
          .updates = batch.updates};
}

void MeanTeacher::initialize(const Batch& batch) {
  const torch::NoGradGuard no_grad;
  ForwardPass pass = training_pass(batch, 0);
  pass.initialize = true;
  pass.statistics = BatchStatistics::kBatch;
  student_->forward(batch.from(Pool::kAll).views[0], pass);
}

std::vector<Losses> MeanTeacher::losses(const Batch& batch) {
  const int64_t classes = problem_.shape.classes;
  const DrawnImages &labeled_images = batch.from(Pool::kLabeled), &images = batch.from(Pool::kAll);
  JointPass pass;
  const size_t labeled = pass.add(labeled_images.views[0]), unlabeled = pass.add(images.views[0]);
  pass.run(*student_, training_pass(batch, 0));
  at::Tensor targets;
  {
    const torch::NoGradGuard no_grad;
    const Classified taught = teacher_->forward(images.views[1], training_pass(batch, 1));
    targets = consistency_target(ConsistencyTarget::kProbabilities, taught.logits, taught.features, classes);
  }
  const Classified student = pass.rows(unlabeled);
  const at::Tensor probabilities =
      consistency_target(ConsistencyTarget::kProbabilities, student.logits, student.features, classes);
  return {{{"supervised", "one", cross_entropy(pass.rows(labeled).logits, labeled_images.labels, classes)},
           {"consistency", "consistency_weight", consistency_loss(probabilities, targets, MseReduction::kMean)}}};
}

}  // namespace frgan
