#include "frgan/methods/fr_gan.h"

#include "frgan/core/error.h"
#include "frgan/core/random.h"
#include "frgan/core/schedules.h"
#include "frgan/losses/adversarial.h"
#include "frgan/losses/classification.h"
#include "frgan/losses/consistency.h"
#include "frgan/losses/feature_matching.h"

namespace frgan {
namespace {

// Several batches through a network without batch statistics in one pass: each keeps its rows of the result.
class JointPass {
 public:
  // The index under which `rows` finds this batch's part.
  size_t add(const at::Tensor& images) {
    parts_.push_back(images);
    return parts_.size() - 1;
  }
  void run(Discriminator& network, const ForwardPass& pass) { all_ = network->forward(at::cat(parts_), pass); }
  Classified rows(size_t part) const {
    int64_t first = 0;
    for (size_t i = 0; i < part; ++i) first += parts_[i].size(0);
    const int64_t count = parts_[part].size(0);
    return {all_.logits.narrow(0, first, count), all_.features.narrow(0, first, count)};
  }

 private:
  std::vector<at::Tensor> parts_;
  Classified all_;
};

}  // namespace

void describe(OptionSet& options, FrGanOptions& fr_gan) {
  options.group("FR-GAN");
  options.add("disc-steps", fr_gan.disc_steps, "k: discriminator steps for one of the generator.",
              Range<int64_t>{1, 100});
  options.add("adv-weight", fr_gan.adv_weight,
              "Weight of each adversarial term: 1 in the Algorithm, 0.5 in Improved-GAN (A7).", Range<double>{0, 1000});
  options.add("gen-loss", fr_gan.gen_loss, "The generator's loss: the paper's, repaired, is nonsaturating (A8).",
              Choices{"nonsaturating", "saturating", "feature_matching", "fm+ns"});
  options.add("noise-range", fr_gan.noise_range, "The generator's noise: symmetric U[-1, 1], unit U[0, 1] (A16).",
              Choices{"symmetric", "unit"});
  options.add("sampling-statistics", fr_gan.sampling_statistics,
              "Batch norm's statistics when images are generated (A32).", Choices{"running", "batch"});
  options.add("mixed-batch", fr_gan.mixed_batch,
              "Labels only where the unlabeled batch happens to have one, divided by its size (A13).");
  options.add("consistency-weight", fr_gan.consistency_weight,
              "w_max of the mean squared error; 0 switches the term off (A30).", Range<double>{0, 100000});
  options.add("consistency-target", fr_gan.consistency_target, "What the two branches are compared by (A9).",
              Choices{"probabilities", "logits", "features"});
  options.add("mse-reduction", fr_gan.mse_reduction, "Mean over images and classes, or eq. 9's sum over classes (A10).",
              Choices{"mean", "sum_classes"});
  options.add("consistency-labeled", fr_gan.consistency_labeled,
              "Labeled images take part in the consistency term (A12).");
  options.add("consistency-generated", fr_gan.consistency_generated,
              "Generated images take part in the consistency term (A12).");
  options.add("stop-gradient", fr_gan.stop_gradient, "No gradient through the second branch (A15).");
  options.add("ramp", fr_gan.ramp, "Shape of the consistency weight's ramp-up (A11).",
              Choices{"gaussian", "linear", "none"});
  options.add("ramp-start", fr_gan.ramp_start, "Share of the run before which the consistency weight is 0 (A28).",
              Range<double>{0, 1});
  options.add("ramp-end", fr_gan.ramp_end,
              "Share of the run at which the consistency weight reaches its maximum (A28).", Range<double>{0, 1});
}

void FrGan::describe(OptionSet& options) {
  frgan::describe(options, training_);
  frgan::describe(options, fr_gan_);
  frgan::describe(options, discriminator_options_);
  frgan::describe(options, generator_options_);
}

void FrGan::validate() const {
  if (training_.batch_size < 2) {
    throw usage_error("--batch-size 1: the generator's batch normalisation needs 2 images or more");
  }
  if (fr_gan_.ramp_start > fr_gan_.ramp_end) {
    throw usage_error("--ramp-start is beyond --ramp-end; the weight rises between the two, so give start <= end");
  }
  if (fr_gan_.mixed_batch && fr_gan_.consistency_labeled) {
    throw usage_error("--consistency-labeled needs a labeled batch of its own; leave out --mixed-batch");
  }
}

void FrGan::build(const Problem& problem) {
  problem_ = problem;
  discriminator_ = make_classifier();
  generator_ = Generator(generator_options_, problem.shape, discriminator_options_.width, discriminator_options_.init,
                         problem.seed);
  generator_->to(problem.device, problem.dtype);
}

Discriminator FrGan::make_classifier() const {
  Discriminator network(discriminator_options_, problem_.shape, problem_.seed);
  network->to(problem_.device, problem_.dtype);
  return network;
}

std::vector<Player> FrGan::players() const {
  return {{"discriminator", discriminator_.ptr(), training_.adam, "learning_rate", "average_decay"},
          {"generator", generator_.ptr(), training_.adam, "learning_rate", ""}};
}

std::vector<Schedule> FrGan::schedules() const {
  std::vector<Schedule> schedules = schedules_of(training_);
  const FrGanOptions options = fr_gan_;
  schedules.push_back({"adv_weight", [=](double, double) { return options.adv_weight; }});
  schedules.push_back({"consistency_weight", [=](double progress, double) {
                         return options.consistency_weight *
                                ramp_up(options.ramp, progress, options.ramp_start, options.ramp_end);
                       }});
  return schedules;
}

std::vector<Stage> FrGan::stages() {
  const int64_t m = training_.batch_size, noise_size = generator_options_.noise_size;
  const BatchRequest discriminator_batch{.labeled = fr_gan_.mixed_batch ? 0 : m,
                                         .labeled_branches = consistent() && fr_gan_.consistency_labeled ? 2 : 1,
                                         .unlabeled = m,
                                         .branches = consistent() ? 2 : 1,
                                         .noise = m,
                                         .noise_size = noise_size};
  // Feature matching takes its real images from a second stream of the unlabeled (A27).
  const BatchRequest generator_batch{
      .unlabeled = matches_features() ? m : 0, .stream = 1, .noise = m, .noise_size = noise_size};
  Stage stage{.name = "training",
              .initial_batch = {.unlabeled = training_.init_images, .noise = m, .noise_size = noise_size}};
  stage.initialize = [this](const Batch& batch) { initialize(batch); };
  const auto discriminator = [this](const Batch& batch) { return std::vector<Losses>{discriminator_losses(batch)}; };
  const auto generator = [this](const Batch& batch) { return std::vector<Losses>{generator_losses(batch)}; };
  stage.phases = {Phase{"discriminator", discriminator_batch, fr_gan_.disc_steps, {"discriminator"}, discriminator},
                  Phase{"generator", generator_batch, 1, {"generator"}, generator}};
  return {stage};
}

double FrGan::step_flop() const {
  const double d = discriminator_->forward_flop(), g = generator_->forward_flop();
  const int64_t batches = fr_gan_.mixed_batch ? 2 : 3;  // unlabeled, generated, labeled
  const int64_t second_branches =
      consistent() ? 1 + (fr_gan_.consistency_labeled ? 1 : 0) + (fr_gan_.consistency_generated ? 1 : 0) : 0;
  const int64_t passes = 3 * batches + (fr_gan_.stop_gradient ? 1 : 3) * second_branches;
  const double discriminator_phase = static_cast<double>(passes) * d + g;
  const double generator_phase = 3 * g + (matches_features() ? 3 : 2) * d;
  return static_cast<double>(training_.batch_size) *
         (static_cast<double>(fr_gan_.disc_steps) * discriminator_phase + generator_phase);
}

ForwardPass FrGan::training_pass(const Batch& batch, uint64_t part) const {
  return {.stochastic = true,
          .dropout_key = random_key(batch.dropout_key, Stream::kDropout, part),
          .precision = problem_.precision};
}

void FrGan::initialize(const Batch& batch) {
  const torch::NoGradGuard no_grad;
  ForwardPass pass = training_pass(batch, 0);
  pass.initialize = true;
  discriminator_->forward(batch.unlabeled[0], pass);
  generator_->forward(batch.noise, BatchStatistics::kBatch, pass);
}

// The discriminator's half of the Algorithm: labeled images, two branches of unlabeled ones and generated ones.
Losses FrGan::discriminator_losses(const Batch& batch) {
  const int64_t classes = problem_.shape.classes;
  at::Tensor generated;
  {
    const torch::NoGradGuard no_grad;
    generated = generator_->forward(batch.noise, BatchStatistics::kBatch, training_pass(batch, 0));
  }

  JointPass pass, target_pass;
  // Without a gradient through it the second branch is a pass of its own that keeps nothing.
  JointPass& second_branch = fr_gan_.stop_gradient ? target_pass : pass;
  std::vector<std::pair<size_t, size_t>> compared;  // parts that are two passes of the same images
  const size_t unlabeled = pass.add(batch.unlabeled[0]);
  const size_t labeled = fr_gan_.mixed_batch ? unlabeled : pass.add(batch.labeled[0]);
  const size_t fake = pass.add(generated);
  if (consistent()) {
    compared.emplace_back(unlabeled, second_branch.add(batch.unlabeled[1]));
    if (fr_gan_.consistency_labeled) compared.emplace_back(labeled, second_branch.add(batch.labeled[1]));
    if (fr_gan_.consistency_generated) compared.emplace_back(fake, second_branch.add(generated));
  }
  pass.run(discriminator_, training_pass(batch, 1));
  if (consistent() && fr_gan_.stop_gradient) {
    const torch::NoGradGuard no_grad;
    target_pass.run(discriminator_, training_pass(batch, 2));
  }

  Losses losses;
  const at::Tensor labeled_logits = pass.rows(labeled).logits;
  losses.push_back({"supervised", "one",
                    fr_gan_.mixed_batch ? masked_cross_entropy(labeled_logits, batch.unlabeled_labels, classes)
                                        : cross_entropy(labeled_logits, batch.labels, classes)});
  losses.push_back({"real", "adv_weight", real_loss(real_score(pass.rows(unlabeled).logits, classes))});
  losses.push_back({"fake", "adv_weight", fake_loss(real_score(pass.rows(fake).logits, classes))});
  if (consistent()) {
    std::vector<at::Tensor> first, second;
    for (const auto& [one, other] : compared) {
      const Classified z = pass.rows(one), z_tilde = second_branch.rows(other);
      first.push_back(consistency_target(fr_gan_.consistency_target, z.logits, z.features, classes));
      second.push_back(consistency_target(fr_gan_.consistency_target, z_tilde.logits, z_tilde.features, classes));
    }
    losses.push_back({"consistency", "consistency_weight",
                      consistency_loss(at::cat(first), at::cat(second), fr_gan_.mse_reduction)});
  }
  return losses;
}

// The generator's half, against the discriminator that was just updated.
Losses FrGan::generator_losses(const Batch& batch) {
  const at::Tensor generated =
      generator_->forward(batch.noise, BatchStatistics::kBatchAndTrack, training_pass(batch, 0));
  const Classified fake = discriminator_->forward(generated, training_pass(batch, 1));
  const at::Tensor score = real_score(fake.logits, problem_.shape.classes);

  Losses losses;
  if (fr_gan_.gen_loss == "nonsaturating" || fr_gan_.gen_loss == "fm+ns") {
    losses.push_back({"generator", "one", real_loss(score)});
  }
  if (fr_gan_.gen_loss == "saturating") losses.push_back({"generator", "one", -fake_loss(score)});
  if (matches_features()) {
    at::Tensor real;
    {
      const torch::NoGradGuard no_grad;
      real = discriminator_->forward(batch.unlabeled[0], training_pass(batch, 2)).features;
    }
    losses.push_back({"feature_matching", "one", feature_matching_loss(real, fake.features)});
  }
  return losses;
}

at::Tensor FrGan::generate(const at::Tensor& noise) {
  const torch::NoGradGuard no_grad;
  const auto statistics = fr_gan_.sampling_statistics == "batch" ? BatchStatistics::kBatch : BatchStatistics::kRunning;
  return generator_->forward(noise, statistics, {.precision = problem_.precision});
}

}  // namespace frgan
