#include "frgan/methods/fr_gan.h"

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"
#include "frgan/losses/adversarial.h"
#include "frgan/losses/classification.h"
#include "frgan/losses/feature_matching.h"
#include "frgan/methods/joint_pass.h"
#include "frgan/nn/networks.h"

namespace frgan {

void describe(OptionSet& options, FrGanOptions& fr_gan) {
  options.group("FR-GAN");
  options.add("disc-steps", fr_gan.disc_steps, "Discriminator steps per generator step (k in the paper's Algorithm).",
              Range<int64_t>{1, 100, "steps"});
  options.add("adv-weight", fr_gan.adv_weight,
              "Weight of each adversarial term of the discriminator; 1 in the paper, 0.5 in Improved-GAN (A7: "
              "adversarial weight).",
              Range<double>{0, 1000});
  options.add("gen-loss", fr_gan.gen_loss,
              "Generator loss; nonsaturating is the paper's loss with its sign error fixed, fm+ns adds feature "
              "matching to it (A8: generator loss).",
              Words<GeneratorLoss>{"nonsaturating", "saturating", "feature_matching", "fm+ns"});
  options.add("noise-range", fr_gan.noise_range,
              "Distribution of the generator's noise: symmetric is U[-1, 1], unit is U[0, 1] (A16: noise range).",
              Words<NoiseKind>{"symmetric", "unit"});
  options.add("sampling-statistics", fr_gan.sampling_statistics,
              "Batch-norm statistics for generating images: running averages from training, or those of the batch "
              "(A32: sampling statistics).",
              Words<SamplingStatistics>{"running", "batch"});
  options.add("mixed-batch", fr_gan.mixed_batch,
              "Takes the labels in the unlabeled batch instead of a separate labeled batch, and divides the supervised "
              "loss by the batch size (A13: mixed batch).");
  describe_weight(options, fr_gan.consistency);
  options.group("FR-GAN");
  options.add("consistency-target", fr_gan.consistency_target,
              "Outputs that the consistency term compares: softmax probabilities, logits or pooled features (A9: "
              "consistency target).",
              Words<ConsistencyTarget>{"probabilities", "logits", "features"});
  options.add("mse-reduction", fr_gan.mse_reduction,
              "Squared error of the consistency term: mean over images and classes, or summed over classes as in eq. 9 "
              "(A10: squared-error reduction).",
              Words<MseReduction>{"mean", "sum_classes"});
  options.add("consistency-labeled", fr_gan.consistency_labeled,
              "Adds the labeled images to the consistency term (A12: consistency images).");
  options.add("consistency-generated", fr_gan.consistency_generated,
              "Adds the generated images to the consistency term (A12: consistency images).");
  options.add("stop-gradient", fr_gan.stop_gradient,
              "Stops the gradient of the consistency term at the second branch (A15: second-branch gradient).");
  describe_ramp(options, fr_gan.consistency);
}

void FrGan::describe(OptionSet& options) {
  frgan::describe(options, training_);
  frgan::describe(options, fr_gan_);
  frgan::describe(options, network_);
  frgan::describe(options, generator_options_);
}

void FrGan::validate() const {
  if (find_network(network_.network).has_batch_statistics) {
    throw usage_error(
        fmt::format("--network {0} cannot be combined with --method fr-gan: the batch statistics of {0} "
                    "would mix labeled, unlabeled and generated images; use --network table1 or mlp",
                    network_.network));
  }
  check_input(network_);
  if (training_.batch_size < 2) {
    throw usage_error(fmt::format(
        "invalid --batch-size {}: batch normalization in the generator needs at least 2 images", training_.batch_size));
  }
  frgan::validate(fr_gan_.consistency);
  if (fr_gan_.mixed_batch && fr_gan_.consistency_labeled) {
    throw usage_error(
        "--consistency-labeled cannot be combined with --mixed-batch: it needs a separate labeled batch; remove one of "
        "them");
  }
}

void FrGan::build(const Problem& problem) {
  problem_ = problem;
  discriminator_ = make_classifier(problem);
  average_ = make_classifier(problem);
  generator_ =
      std::make_shared<Generator>(generator_options_, problem.shape, network_.width, network_.init, problem.seed);
  generator_->to(problem.device, problem.dtype);
}

std::vector<Player> FrGan::players() const {
  return {
      {"discriminator", discriminator_, training_.optimizer, "learning_rate", {{kAverage, average_, "average_decay"}}},
      {"generator", generator_, training_.optimizer}};
}

std::vector<Schedule> FrGan::schedules() const {
  std::vector<Schedule> schedules = schedules_of(training_);
  const double adv_weight = fr_gan_.adv_weight;
  schedules.push_back({"adv_weight", [=](double, double) { return adv_weight; }});
  schedules.push_back(schedule_of(fr_gan_.consistency));
  return schedules;
}

std::vector<Stage> FrGan::stages() {
  const int64_t m = training_.batch_size;
  const NoiseRequest noise{.count = m, .size = generator_options_.noise_size, .kind = fr_gan_.noise_range};
  const std::vector<std::string> one_view{kWeakPolicy}, branches{kWeakPolicy, kWeakPolicy};
  BatchRequest discriminator_batch{.noise = noise};
  if (!fr_gan_.mixed_batch) {
    const bool compared = has_consistency() && fr_gan_.consistency_labeled;
    discriminator_batch.draws.push_back({Pool::kLabeled, m, compared ? branches : one_view});
  }
  discriminator_batch.draws.push_back({Pool::kAll, m, has_consistency() ? branches : one_view});
  // Feature matching draws its real images in a second order (A27).
  BatchRequest generator_batch{.noise = noise};
  if (matches_features()) generator_batch.draws.push_back({Pool::kAll, m, one_view, /*order=*/1});
  Stage stage{.name = "training", .initial_batch = {{{Pool::kAll, training_.init_images}}, noise}};
  stage.initialize = [this](const Batch& batch) { initialize(batch); };
  const auto discriminator = [this](const Batch& batch) { return std::vector<Losses>{discriminator_losses(batch)}; };
  const auto generator = [this](const Batch& batch) { return std::vector<Losses>{generator_losses(batch)}; };
  stage.phases = {Phase{"discriminator", discriminator_batch, fr_gan_.disc_steps, {"discriminator"}, discriminator},
                  Phase{"generator", generator_batch, 1, {"generator"}, generator}};
  stage.step_flop = step_flop();
  return {stage};
}

double FrGan::step_flop() const {
  const double d = discriminator_->forward_flop(), g = generator_->forward_flop();
  const int64_t batches = fr_gan_.mixed_batch ? 2 : 3;  // unlabeled, generated, labeled
  const int64_t second_branches =
      has_consistency() ? 1 + (fr_gan_.consistency_labeled ? 1 : 0) + (fr_gan_.consistency_generated ? 1 : 0) : 0;
  const double trained = discriminator_->training_flop(), second = fr_gan_.stop_gradient ? d : trained;
  const double discriminator_phase =
      static_cast<double>(batches) * trained + static_cast<double>(second_branches) * second + g;
  const double generator_phase = 3 * g + (matches_features() ? 3 : 2) * d;
  return static_cast<double>(training_.batch_size) *
         (static_cast<double>(fr_gan_.disc_steps) * discriminator_phase + generator_phase);
}

ForwardPass FrGan::training_pass(const Batch& batch, uint64_t part) const {
  return {.stochastic = true,
          .dropout_key = random_key(batch.dropout_key, Stream::kDropout, part),
          .precision = problem_.precision,
          .statistics = BatchStatistics::kBatch};
}

void FrGan::initialize(const Batch& batch) {
  const torch::NoGradGuard no_grad;
  ForwardPass pass = training_pass(batch, 0);
  pass.initialize = true;
  discriminator_->forward(batch.from(Pool::kAll).views[0], pass);
  generator_->forward(batch.noise, pass);
}

// Discriminator losses of the Algorithm, on labeled images, two branches of unlabeled images, and generated images.
Losses FrGan::discriminator_losses(const Batch& batch) {
  const int64_t classes = problem_.shape.classes;
  at::Tensor generated;
  {
    const torch::NoGradGuard no_grad;
    generated = generator_->forward(batch.noise, training_pass(batch, 0));
  }

  JointPass pass, target_pass;
  // With stop_gradient, the second branch runs separately without autograd, which saves memory and time.
  JointPass& second_branch = fr_gan_.stop_gradient ? target_pass : pass;
  std::vector<std::pair<size_t, size_t>> compared;  // pairs of parts: two passes over the same images
  const DrawnImages& images = batch.from(Pool::kAll);
  const DrawnImages& with_labels = fr_gan_.mixed_batch ? images : batch.from(Pool::kLabeled);
  const size_t unlabeled = pass.add(images.views[0]);
  const size_t labeled = fr_gan_.mixed_batch ? unlabeled : pass.add(with_labels.views[0]);
  const size_t fake = pass.add(generated);
  if (has_consistency()) {
    compared.emplace_back(unlabeled, second_branch.add(images.views[1]));
    if (fr_gan_.consistency_labeled) compared.emplace_back(labeled, second_branch.add(with_labels.views[1]));
    if (fr_gan_.consistency_generated) compared.emplace_back(fake, second_branch.add(generated));
  }
  pass.run(*discriminator_, training_pass(batch, 1));
  if (has_consistency() && fr_gan_.stop_gradient) {
    const torch::NoGradGuard no_grad;
    target_pass.run(*discriminator_, training_pass(batch, 2));
  }

  Losses losses;
  const at::Tensor labeled_logits = pass.rows(labeled).logits;
  losses.push_back({"supervised", "one",
                    fr_gan_.mixed_batch ? masked_cross_entropy(labeled_logits, with_labels.labels, classes)
                                        : cross_entropy(labeled_logits, with_labels.labels, classes)});
  losses.push_back({"real", "adv_weight", real_loss(real_score(pass.rows(unlabeled).logits, classes))});
  losses.push_back({"fake", "adv_weight", fake_loss(real_score(pass.rows(fake).logits, classes))});
  if (has_consistency()) {
    std::vector<at::Tensor> first, second;
    for (const auto& [first_part, second_part] : compared) {
      const Classified z = pass.rows(first_part), z_tilde = second_branch.rows(second_part);
      first.push_back(consistency_target(fr_gan_.consistency_target, z.logits, z.features, classes));
      second.push_back(consistency_target(fr_gan_.consistency_target, z_tilde.logits, z_tilde.features, classes));
    }
    losses.push_back({"consistency", "consistency_weight",
                      consistency_loss(at::cat(first), at::cat(second), fr_gan_.mse_reduction)});
  }
  return losses;
}

// Generator losses of the Algorithm, computed with the updated discriminator.
Losses FrGan::generator_losses(const Batch& batch) {
  ForwardPass generator_pass = training_pass(batch, 0);
  generator_pass.statistics = BatchStatistics::kBatchAndTrack;
  const at::Tensor generated = generator_->forward(batch.noise, generator_pass);
  const Classified fake = discriminator_->forward(generated, training_pass(batch, 1));
  const at::Tensor score = real_score(fake.logits, problem_.shape.classes);

  Losses losses;
  if (fr_gan_.gen_loss == GeneratorLoss::kSaturating) {
    losses.push_back({"generator", "one", -fake_loss(score)});
  } else if (fr_gan_.gen_loss != GeneratorLoss::kFeatureMatching) {
    losses.push_back({"generator", "one", real_loss(score)});
  }
  if (matches_features()) {
    at::Tensor real;
    {
      const torch::NoGradGuard no_grad;
      real = discriminator_->forward(batch.from(Pool::kAll).views[0], training_pass(batch, 2)).features;
    }
    losses.push_back({"feature_matching", "one", feature_matching_loss(real, fake.features)});
  }
  return losses;
}

std::optional<Sampler> FrGan::sampler() {
  return Sampler{.noise_size = generator_options_.noise_size,
                 .noise = fr_gan_.noise_range,
                 .images = [this](const at::Tensor& noise, const at::Tensor&) { return generate(noise); }};
}

at::Tensor FrGan::generate(const at::Tensor& noise) const {
  const auto statistics =
      fr_gan_.sampling_statistics == SamplingStatistics::kBatch ? BatchStatistics::kBatch : BatchStatistics::kRunning;
  return generator_->forward(noise, {.precision = problem_.precision, .statistics = statistics});
}

}  // namespace frgan
