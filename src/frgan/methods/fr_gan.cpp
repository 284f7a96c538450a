#include "frgan/methods/fr_gan.h"

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"
#include "frgan/losses/adversarial.h"
#include "frgan/losses/classification.h"
#include "frgan/losses/feature_matching.h"
#include "frgan/nn/networks.h"

namespace frgan {
namespace {

// Runs several batches through the discriminator in one pass. This is exact, because the discriminator has no batch
// norm.
class JointPass {
 public:
  // Returns the index to pass to `rows` for the results of this batch.
  size_t add(const at::Tensor& images) {
    parts_.push_back(images);
    return parts_.size() - 1;
  }
  void run(const Network& network, const ForwardPass& pass) { all_ = network.forward(at::cat(parts_), pass); }
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
              Words<NoiseRange>{"symmetric", "unit"});
  options.add("sampling-statistics", fr_gan.sampling_statistics,
              "Batch-norm statistics for generating images: running averages from training, or those of the batch "
              "(A32: sampling statistics).",
              Words<SamplingStatistics>{"running", "batch"});
  options.add("mixed-batch", fr_gan.mixed_batch,
              "Takes the labels in the unlabeled batch instead of a separate labeled batch, and divides the supervised "
              "loss by the batch size (A13: mixed batch).");
  options.add("consistency-weight", fr_gan.consistency_weight,
              "Maximum weight w_max of the consistency term; 0 disables the term (A30: consistency weight).",
              Range<double>{0, 100000});
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
  options.add(
      "ramp", fr_gan.ramp,
      "Shape of the ramp-up of the consistency weight; none uses the maximum from the first step (A11: ramp-up shape).",
      Words<RampShape>{"gaussian", "linear", "none"});
  options.add("ramp-start", fr_gan.ramp_start,
              "Share of the run during which the consistency weight is 0 (A28: schedules as shares).",
              Range<double>{0, 1});
  options.add("ramp-end", fr_gan.ramp_end,
              "Share of the run after which the consistency weight is at its maximum (A28: schedules as shares).",
              Range<double>{0, 1});
}

void FrGan::describe(OptionSet& options) {
  frgan::describe(options, training_);
  frgan::describe(options, fr_gan_);
  frgan::describe(options, network_);
  frgan::describe(options, generator_options_);
}

void FrGan::validate() const {
  frgan::validate(training_);
  if (find_network(network_.network).has_batch_statistics) {
    throw usage_error(
        fmt::format("--network {0} cannot be combined with --method fr-gan: the batch statistics of {0} "
                    "would mix labeled, unlabeled and generated images; use --network table1 or mlp",
                    network_.network));
  }
  if (training_.batch_size < 2) {
    throw usage_error(fmt::format(
        "invalid --batch-size {}: batch normalization in the generator needs at least 2 images", training_.batch_size));
  }
  if (fr_gan_.ramp != RampShape::kNone && fr_gan_.ramp_start > fr_gan_.ramp_end) {
    throw usage_error(fmt::format("invalid --ramp-start {}: must not be greater than --ramp-end {}", fr_gan_.ramp_start,
                                  fr_gan_.ramp_end));
  }
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

NetworkPtr FrGan::make_classifier(const Problem& problem) const {
  NetworkPtr network = create_network(network_, problem.shape, problem.seed);
  network->to(problem.device, problem.dtype);
  return network;
}

std::vector<Player> FrGan::players() const {
  return {
      {"discriminator", discriminator_, training_.optimizer, "learning_rate", {{kAverage, average_, "average_decay"}}},
      {"generator", generator_, training_.optimizer}};
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
                                         .labeled_branches = has_consistency() && fr_gan_.consistency_labeled ? 2 : 1,
                                         .unlabeled = m,
                                         .branches = has_consistency() ? 2 : 1,
                                         .noise = m,
                                         .noise_size = noise_size};
  // Feature matching draws its real images from a second stream of the unlabeled images (A27).
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
      has_consistency() ? 1 + (fr_gan_.consistency_labeled ? 1 : 0) + (fr_gan_.consistency_generated ? 1 : 0) : 0;
  const int64_t passes = 3 * batches + (fr_gan_.stop_gradient ? 1 : 3) * second_branches;
  const double discriminator_phase = static_cast<double>(passes) * d + g;
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
  discriminator_->forward(batch.unlabeled[0], pass);
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
  const size_t unlabeled = pass.add(batch.unlabeled[0]);
  const size_t labeled = fr_gan_.mixed_batch ? unlabeled : pass.add(batch.labeled[0]);
  const size_t fake = pass.add(generated);
  if (has_consistency()) {
    compared.emplace_back(unlabeled, second_branch.add(batch.unlabeled[1]));
    if (fr_gan_.consistency_labeled) compared.emplace_back(labeled, second_branch.add(batch.labeled[1]));
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
                    fr_gan_.mixed_batch ? masked_cross_entropy(labeled_logits, batch.unlabeled_labels, classes)
                                        : cross_entropy(labeled_logits, batch.labels, classes)});
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
      real = discriminator_->forward(batch.unlabeled[0], training_pass(batch, 2)).features;
    }
    losses.push_back({"feature_matching", "one", feature_matching_loss(real, fake.features)});
  }
  return losses;
}

at::Tensor FrGan::generate(const at::Tensor& noise) {
  const torch::NoGradGuard no_grad;
  const auto statistics =
      fr_gan_.sampling_statistics == SamplingStatistics::kBatch ? BatchStatistics::kBatch : BatchStatistics::kRunning;
  return generator_->forward(noise, {.precision = problem_.precision, .statistics = statistics});
}

}  // namespace frgan
