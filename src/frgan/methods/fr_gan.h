// FR-GAN: "Image classification algorithm based on feature recalibration GAN" (Jiang, Zhang, Liu).
// Options select the ablations and the readings of the paper (docs/paper.md).
#pragma once

#include "frgan/losses/consistency.h"
#include "frgan/methods/classifier_training.h"
#include "frgan/methods/consistency_ramp.h"
#include "frgan/methods/method.h"
#include "frgan/nn/generator.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// The generator's loss (A8).
enum class GeneratorLoss { kNonsaturating, kSaturating, kFeatureMatching, kFeatureMatchingAndNonsaturating };

// Batch-norm statistics for generating images: running averages from training, or those of the batch (A32).
enum class SamplingStatistics { kRunning, kBatch };

struct FrGanOptions {
  int64_t disc_steps = 1;
  double adv_weight = 1.0;
  GeneratorLoss gen_loss = GeneratorLoss::kNonsaturating;
  NoiseKind noise_range = NoiseKind::kSymmetric;
  SamplingStatistics sampling_statistics = SamplingStatistics::kRunning;
  bool mixed_batch = false;
  ConsistencyRamp consistency{};
  ConsistencyTarget consistency_target = ConsistencyTarget::kProbabilities;
  MseReduction mse_reduction = MseReduction::kMean;
  bool consistency_labeled = false;
  bool consistency_generated = false;
  bool stop_gradient = false;
};
// Declares each field as an option, with its meaning, its range and the reading of the paper that it selects
// (docs/options.md).
void describe(OptionSet& options, FrGanOptions& fr_gan);

class FrGan : public Method {
 public:
  void describe(OptionSet& options) override;
  void validate() const override;
  void build(const Problem& problem) override;
  std::vector<Player> players() const override;
  std::vector<Schedule> schedules() const override;
  std::vector<Stage> stages() override;
  NetworkPtr make_classifier(const Problem& problem) const override { return build_network(network_, problem); }
  std::optional<Sampler> sampler() override;

 private:
  bool has_consistency() const { return fr_gan_.consistency.weight > 0; }
  bool matches_features() const {
    return fr_gan_.gen_loss == GeneratorLoss::kFeatureMatching ||
           fr_gan_.gen_loss == GeneratorLoss::kFeatureMatchingAndNonsaturating;
  }
  double step_flop() const;
  ForwardPass training_pass(const Batch& batch, uint64_t part) const;
  at::Tensor generate(const at::Tensor& noise) const;

  void initialize(const Batch& batch);
  Losses discriminator_losses(const Batch& batch);
  Losses generator_losses(const Batch& batch);

  ClassifierTraining training_;
  NetworkOptions network_;
  GeneratorOptions generator_options_;
  FrGanOptions fr_gan_;
  Problem problem_;
  NetworkPtr discriminator_, average_;
  GeneratorPtr generator_;
};

}  // namespace frgan
