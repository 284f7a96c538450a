#include "frgan/methods/supervised.h"

#include "frgan/device/random.h"
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
  Phase phase{
      "classifier", {{{Pool::kLabeled, training_.batch_size}}}, 1, {"discriminator"}, [this](const Batch& batch) {
        return losses(batch);
      }};
  const auto initialize = [this](const Batch& batch) {
    // The same pass as in FR-GAN, so that both methods start from the same weights at the same seed.
    const uint64_t key = random_key(batch.dropout_key, Stream::kDropout, 0);
    discriminator_->forward(batch.from(Pool::kAll).views[0], {.stochastic = true,
                                                              .dropout_key = key,
                                                              .initialize = true,
                                                              .precision = problem_.precision,
                                                              .statistics = BatchStatistics::kBatch});
  };
  return {{.name = "training",
           .initial_batch = {{{Pool::kAll, training_.init_images}}},
           .initialize = initialize,
           .phases = {phase},
           .step_flop = static_cast<double>(training_.batch_size) * discriminator_->training_flop()}};
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
