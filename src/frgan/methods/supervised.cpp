#include "frgan/methods/supervised.h"

#include "frgan/losses/classification.h"

namespace frgan {

void Supervised::describe(OptionSet& options) {
  frgan::describe(options, training_);
  frgan::describe(options, network_);
}

void Supervised::build(const Problem& problem) {
  problem_ = problem;
  discriminator_ = make_classifier(problem);
  average_ = make_classifier(problem);
}

std::vector<Player> Supervised::players() const {
  return {
      {"discriminator", discriminator_, training_.optimizer, "learning_rate", {{kAverage, average_, "average_decay"}}}};
}

std::vector<Stage> Supervised::stages() {
  Stage stage = training_stage(discriminator_, training_, problem_.precision);
  stage.phases = {
      {"classifier", {{{Pool::kLabeled, training_.batch_size}}}, 1, {"discriminator"}, [this](const Batch& batch) {
         return losses(batch);
       }}};
  stage.step_flop = static_cast<double>(training_.batch_size) * discriminator_->training_flop();
  return {stage};
}

std::vector<Losses> Supervised::losses(const Batch& batch) {
  const ForwardPass pass{.stochastic = true,
                         .dropout_key = batch.dropout_key,
                         .precision = problem_.precision,
                         .statistics = BatchStatistics::kBatchAndTrack,
                         .updates = batch.updates};
  const DrawnImages& images = batch.from(Pool::kLabeled);
  const Classified labeled = discriminator_->forward(images.views[0], pass);
  return {{{"supervised", "one", cross_entropy(labeled.logits, images.labels, problem_.shape.classes)}}};
}

}  // namespace frgan
