// Every option of every method changes the losses, weights, averages or generated images of a run.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "../methods/small_methods.h"
#include "frgan/nn/input_normalization.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

constexpr int64_t kSteps = 3;

// The reference run: defaults, but with all parts of each schedule within three steps.
const Settings kBase{{"ramp-start", 0.2}, {"ramp-end", 0.8}, {"m1-share", 0.3}};

// For each option, values that differ from the reference run.
const std::map<std::string, std::vector<Json>> kOtherValues{
    {"batch-size", {3}},
    {"l2", {10.0}},
    {"folds", {}},  // the labels here are random, so that any folds choose the strongest penalty
    {"learning-rate", {1e-3}},
    {"decay-start", {0.1}},
    {"beta1", {0.9}},
    {"beta2", {0.9}},
    {"epsilon", {1e-4}},
    {"epsilon-inside-root", {true}},
    {"average-decay", {0.15}},
    {"average-shape", {"fixed", "corrected"}},
    {"init-images", {6}},
    {"disc-steps", {2}},
    {"adv-weight", {0.5, 0.0}},
    {"gen-loss", {"saturating", "feature_matching", "fm+ns"}},
    {"noise-range", {"unit"}},
    {"sampling-statistics", {"batch"}},
    {"mixed-batch", {true}},
    {"consistency-weight", {100.0, 0.0}},
    {"consistency-target", {"logits", "features"}},
    {"mse-reduction", {"sum_classes"}},
    {"consistency-labeled", {true}},
    {"consistency-generated", {true}},
    {"stop-gradient", {true}},
    {"ramp", {"linear", "none"}},
    {"ramp-start", {0.0, 0.4}},
    {"ramp-end", {0.3}},
    {"width", {0.125}},
    {"pooling", {"max"}},
    {"se-position", {"none", "block1", "after_conv256", "all"}},
    {"se-reduction", {2}},
    {"se-min-hidden", {4}},
    {"se-bias", {true}},
    {"leaky-slope", {0.1}},
    {"input-dropout", {0.0, 0.5}},
    {"block-dropout", {0.0, 0.5}},
    {"init", {"normal"}},
    {"train-gain", {false}},
    {"explicit-fake-class", {true}},
    {"noise-size", {5}},
    {"gen-width", {1024}},
    {"gen-order", {"relu_bn"}},
    {"optimizer", {"sgd"}},
    {"momentum", {0.5}},
    {"nesterov", {false}},
    {"weight-decay", {0.1}},
    {"network",
     {"conv-large", "wrn-28-2", "mlp", "resnet18", "resnet50", "efficientnet-lite0", "convnext-tiny", "vit-small-14"}},
    {"conv-large-norm", {"batch_norm"}},
    {"conv-large-dropout", {0.0, 0.3}},
    {"mlp-layers", {1, 3}},
    {"mlp-units", {64}},
    {"padding", {"same"}},
    {"norm-epsilon", {0.01}},
    {"decay-shape", {"cosine", "gaussian"}},
    {"warm-up", {0.9}},
    {"unlabeled-ratio", {2}},
    {"threshold", {0.3}},
    {"unlabeled-weight", {0.5, 0.0}},
    {"m2-learning-rate", {1e-2}},
    {"normalization", {"standard", "image", "zca", "pca"}},
    {"zca-epsilon", {1.0}},
    {"components", {9}},
    {"latent-size", {7}},
    {"class-latent-size", {7}},
    {"m1-layers", {1}},
    {"m1-units", {64}},
    {"m2-layers", {2}},
    {"m2-units", {64}},
    {"m1-share", {0.6}},
    {"kl-warm-up", {0.5}},
    {"alpha", {1.0}},
    {"bound-weight", {2.0, 0.0}},
    {"information-weight", {0.5, 5.0}},
    {"balance-weight", {0.0, 1.0}},
};

const Settings kSgdOptimizer{{"optimizer", "sgd"}}, kAdamOptimizer{{"optimizer", "adam"}};
const Settings kTable1{{"network", "table1"}};

// Options that need other options to have an effect.
const std::map<std::string, Settings> kNeeded{{"momentum", kSgdOptimizer},
                                              {"nesterov", kSgdOptimizer},
                                              {"beta1", kAdamOptimizer},
                                              {"beta2", kAdamOptimizer},
                                              {"epsilon", kAdamOptimizer},
                                              {"epsilon-inside-root", kAdamOptimizer},
                                              {"decay-start", {{"decay-shape", "linear"}}},
                                              {"decay-shape", {{"decay-shape", "linear"}, {"decay-start", 0.1}}},
                                              {"zca-epsilon", {{"normalization", "zca"}}},
                                              {"components", {{"network", "mlp"}, {"normalization", "pca"}}},
                                              {"normalization", {{"network", "mlp"}}},
                                              {"unlabeled-weight", {{"threshold", 0.3}}},
                                              {"balance-weight", {{"information-weight", 0.5}}},
                                              {"init-images", kTable1},
                                              {"weight-decay", {{"network", "wrn-28-2"}}},
                                              {"pooling", kTable1},
                                              {"se-position", kTable1},
                                              {"se-reduction", kTable1},
                                              {"se-min-hidden", kTable1},
                                              {"se-bias", kTable1},
                                              {"leaky-slope", kTable1},
                                              {"input-dropout", kTable1},
                                              {"block-dropout", kTable1},
                                              {"init", kTable1},
                                              {"train-gain", kTable1},
                                              {"conv-large-norm", {{"network", "conv-large"}}},
                                              {"conv-large-dropout", {{"network", "conv-large"}}},
                                              {"mlp-layers", {{"network", "mlp"}}},
                                              {"mlp-units", {{"network", "mlp"}}},
                                              {"padding", {{"network", "efficientnet-lite0"}}},
                                              {"norm-epsilon", {{"network", "efficientnet-lite0"}}}};

// Fingerprint of a run of three steps: losses of each step, then sums of absolute weights, moments, averages and
// images.
std::vector<double> run(const std::string& name, const Settings& changes = {}) {
  Settings settings = kBase;
  settings.insert(settings.end(), changes.begin(), changes.end());
  const Problem problem = small_problem_for(settings);
  const auto method = small_method(name, settings, problem);
  std::vector<std::shared_ptr<torch::nn::Module>> networks;
  for (const Player& player : method->players()) networks.push_back(player.network);
  const int64_t size = problem.shape.image_size;
  const at::Tensor images = random_integers({20, size, size, 1}, 0, 200, /*key=*/3, at::kCPU).to(at::kByte);
  fit_input_normalization(networks, images, at::arange(20, at::kLong));
  Trainer trainer(*method, problem, RandomBatches{problem}, kSteps);
  trainer.initialize();
  std::vector<double> numbers;
  while (trainer.steps_done() < kSteps) {
    trainer.step();
    for (const auto& loss : trainer.take_losses()) numbers.push_back(loss.second);
  }
  EXPECT_FALSE(trainer.first_non_finite().has_value());
  EXPECT_EQ(trainer.first_non_finite_tensor(), std::nullopt);  // covers gradients through the Adam moments
  for (const auto& [file, tensors] : trainer.state()) {
    double total = 0;
    for (const auto& [path, tensor] : tensors) total += tensor.abs().sum().item<double>();
    numbers.push_back(total);
  }
  if (const auto sampler = method->sampler()) {
    numbers.push_back(sampled_images(*sampler, 4, /*key=*/7, problem).abs().sum().item<double>());
  }
  return numbers;
}

bool differ(const std::vector<double>& one, const std::vector<double>& other) {
  if (one.size() != other.size()) return true;
  double most = 0;
  for (size_t i = 0; i < one.size(); ++i) most = std::max(most, std::abs(one[i] - other[i]));
  return most > 1e-9;
}

// Whether the method accepts these values and uses them. fr-gan, for example, rejects networks with batch norm.
bool accepts(const std::string& name, const Settings& changes) try {
  Settings settings = kBase;
  settings.insert(settings.end(), changes.begin(), changes.end());
  return small_method(name, settings)->options_without_effect().empty();
} catch (const Error&) {
  return false;
}

TEST(OptionsChangeRuns, ForEveryMethod) {
  std::map<std::string, size_t> tested;  // values by option
  for (const MethodInfo& info : all_methods()) {
    const std::string name(info.name);
    ASSERT_EQ(run(name), run(name));  // runs are bit-identical, so any difference below is due to the option
    OptionSet options;
    const auto method = create_method(name);
    method->describe(options);
    for (const Option& option : options.all()) {
      const auto others = kOtherValues.find(option.name);
      ASSERT_NE(others, kOtherValues.end()) << option.name << " of " << name << " has no value in kOtherValues";
      // One method suffices for the options of networks.
      if (option.group == "Network" && tested[option.name] == others->second.size()) continue;
      const auto needed = kNeeded.find(option.name);
      const Settings before = needed == kNeeded.end() ? Settings{} : needed->second;
      const std::vector<double> base = accepts(name, before) ? run(name, before) : std::vector<double>{};
      size_t accepted = 0;
      for (const Json& value : others->second) {
        const bool is_chosen_before =
            std::ranges::any_of(before, [&](const auto& setting) { return setting.first == option.name; });
        if (value == option.initial && !is_chosen_before) continue;  // the default of this method
        Settings changed = before;
        changed.emplace_back(option.name, value);
        if (!accepts(name, changed)) continue;
        ++accepted;
        EXPECT_TRUE(differ(run(name, changed), base))
            << name << " --" << option.name << ' ' << value.dump() << " changes nothing";
      }
      tested[option.name] = std::max(tested[option.name], accepted);
      // All choices must be covered, by these values or the default.
      if (!option.choices.empty()) {
        EXPECT_EQ(others->second.size() + 1, option.choices.size()) << option.name;
      }
    }
  }
  for (const auto& [option, values] : tested) {
    EXPECT_EQ(values, kOtherValues.at(option).size()) << option << ": no method accepts one of the values";
  }
}

}  // namespace
}  // namespace frgan
