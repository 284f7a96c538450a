// Batches, losses and gradients of each method. tests/train/options_change_runs_test.cpp checks that every option
// changes a run.
#include "frgan/methods/methods.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/methods/method.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/networks.h"
#include "small_methods.h"

namespace frgan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string usage_message(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no exception";
}

// A built method after data-dependent initialization.
std::unique_ptr<Method> initialized(const std::string& name, const Settings& settings = {}) {
  std::unique_ptr<Method> method = small_method(name, settings);
  for (const Stage& stage : method->stages()) {
    if (stage.initialize) stage.initialize(RandomBatches{small_problem_for(settings)}(stage.initial_batch, 0, 99));
  }
  return method;
}

double step_flop_of(const std::string& name, const Settings& settings = {}, const Problem& problem = small_problem()) {
  return mean_step_flop(small_method(name, settings, problem)->stages());
}

Phase phase_of(Method& method, size_t index) {
  return method.stages().front().phases.at(index);
}

const Loss& term(const Losses& losses, const std::string& name) {
  const auto found = std::find_if(losses.begin(), losses.end(), [&](const Loss& loss) { return loss.name == name; });
  TORCH_CHECK(found != losses.end(), "unknown loss ", name);
  return *found;
}

std::vector<std::string> names_of(const Losses& losses) {
  std::vector<std::string> names;
  for (const Loss& loss : losses) names.push_back(loss.name);
  return names;
}

// Gradients of `value` with respect to `tensors`; undefined for a tensor that `value` does not depend on.
std::vector<at::Tensor> gradients(const at::Tensor& value, const std::vector<at::Tensor>& tensors) {
  return torch::autograd::grad({value}, tensors, {}, /*retain_graph=*/true, /*create_graph=*/false,
                               /*allow_unused=*/true);
}

bool reaches(const at::Tensor& value, const at::Tensor& tensor) {
  const at::Tensor gradient = gradients(value, {tensor})[0];
  return gradient.defined() && gradient.abs().max().item<double>() > 0;
}

// Makes every image tensor of the batch a leaf that requires a gradient. Returns the leaves by name.
std::map<std::string, at::Tensor> image_leaves(Batch& batch) {
  std::map<std::string, at::Tensor> leaves;
  for (const DrawnImages& drawn : batch.draws) {
    const std::string name = drawn.pool == Pool::kLabeled ? "labeled" : "unlabeled";
    for (size_t i = 0; i < drawn.views.size(); ++i) leaves[name + std::to_string(i)] = drawn.views[i];
  }
  for (auto& [name, leaf] : leaves) leaf.requires_grad_();
  return leaves;
}

// Names of the images that a discriminator loss term depends on.
std::set<std::string> images_of(Method& method, const std::string& name) {
  const Phase phase = phase_of(method, 0);
  Batch batch = RandomBatches{}(phase.batch, 0, 0);
  const auto leaves = image_leaves(batch);
  const Losses losses = phase.losses(batch)[0];
  std::set<std::string> reached;
  for (const auto& [image, leaf] : leaves) {
    if (reaches(term(losses, name).value, leaf)) reached.insert(image);
  }
  return reached;
}

// ---- Table of methods

TEST(Methods, UnknownNameSuggestsTheNearest) {
  EXPECT_THAT(usage_message([] { create_method("fr-gam"); }), AllOf(HasSubstr("'fr-gam'"), HasSubstr("'fr-gan'?")));
  EXPECT_THAT(usage_message([] { create_method("superviced"); }), HasSubstr("'supervised'?"));
  EXPECT_THAT(usage_message([] { create_method("xyzzy"); }), AllOf(HasSubstr("fr-gan"), HasSubstr("supervised")));
}

TEST(Methods, EachDefinesPlayersSchedulesAndLosses) {
  std::set<std::string_view> names;
  for (const MethodInfo& info : all_methods()) {
    SCOPED_TRACE(info.name);
    EXPECT_TRUE(names.insert(info.name).second);
    EXPECT_FALSE(info.summary.empty());
    const auto method = initialized(std::string(info.name));
    std::set<std::string> scheduled, players;
    for (const Schedule& schedule : method->schedules()) EXPECT_TRUE(scheduled.insert(schedule.name).second);
    std::multiset<std::string> followers;
    for (const Player& player : method->players()) {
      EXPECT_TRUE(players.insert(player.name).second);
      EXPECT_TRUE(scheduled.contains(player.learning_rate));
      for (const Follower& follower : player.followers) {
        EXPECT_TRUE(scheduled.contains(follower.decay));
        followers.insert(follower.name);
      }
    }
    EXPECT_EQ(followers.count(kAverage), 1U);                                                       // the classifier
    EXPECT_EQ(followers.size(), std::set<std::string>(followers.begin(), followers.end()).size());  // names of files
    double shares = 0;
    for (const Stage& stage : method->stages()) shares += stage.share;
    EXPECT_NEAR(shares, 1, 1e-12);
    for (const Stage& stage : method->stages()) {
      for (const Phase& phase : stage.phases) {
        for (const std::string& player : phase.players) EXPECT_TRUE(players.contains(player));
        const auto losses = phase.losses(RandomBatches{}(phase.batch, 0, 0));
        ASSERT_EQ(losses.size(), phase.players.size());
        for (const Loss& loss : losses[0]) {
          EXPECT_TRUE(loss.weight.empty() || scheduled.contains(loss.weight)) << loss.name;
          EXPECT_EQ(loss.value.dim(), 0) << loss.name;
          EXPECT_TRUE(at::isfinite(loss.value).item<bool>()) << loss.name;
        }
      }
    }
    const at::Tensor images = all_of(RandomBatches{}(ShortRequest{.all = 2}, 0, 0)).views[0];
    EXPECT_EQ(method->make_classifier(small_problem())->forward(images, {}).logits.sizes(), (at::IntArrayRef{2, 3}));
  }
}

// Parameters that the losses of a stage must not train: those of followers, and of players of other stages.
std::vector<at::Tensor> constants_of(const Method& method, const Stage& stage) {
  std::set<std::string> trained;
  for (const Phase& phase : stage.phases) trained.insert(phase.players.begin(), phase.players.end());
  std::vector<at::Tensor> constants;
  const auto add = [&](const torch::nn::Module& network) {
    for (const at::Tensor& parameter : network.parameters()) {
      if (parameter.requires_grad()) constants.push_back(parameter);
    }
  };
  for (const Player& player : method.players()) {
    if (!trained.contains(player.name)) add(*player.network);
    for (const Follower& follower : player.followers) add(*follower.network);
  }
  return constants;
}

TEST(Methods, LossesTrainAllParametersOfTheirPlayersAndNoneOfOtherStages) {
  for (const MethodInfo& info : all_methods()) {
    // With a single hidden unit in squeeze-and-excitation, its ReLU could be 0 for all images and give no gradient.
    const auto method = initialized(std::string(info.name), {{"se-reduction", 1}});
    std::map<std::string, Player> players;
    for (const Player& player : method->players()) players.emplace(player.name, player);
    for (const Stage& stage : method->stages()) {
      for (const Phase& phase : stage.phases) {
        const auto losses = phase.losses(RandomBatches{}(phase.batch, 0, 0));
        const std::vector<at::Tensor> constant = constants_of(*method, stage);
        for (size_t i = 0; i < losses.size(); ++i) {
          at::Tensor total = at::zeros({}, at::kDouble);
          for (const Loss& loss : losses[i]) {
            if (!loss.weight.empty()) total = total + loss.value;
          }
          for (const auto& item : players.at(phase.players[i]).network->named_parameters()) {
            if (!item.value().requires_grad()) continue;  // frozen
            SCOPED_TRACE(::testing::Message() << info.name << ' ' << phase.name << ' ' << item.key());
            EXPECT_TRUE(reaches(total, item.value()));
            EXPECT_TRUE(at::isfinite(gradients(total, {item.value()})[0]).all().item<bool>());
          }
          for (const at::Tensor& parameter : constant) EXPECT_FALSE(reaches(total, parameter)) << info.name;
        }
      }
    }
  }
}

TEST(Methods, ClassifierHasItsOwnWeights) {
  for (const MethodInfo& info : all_methods()) {
    const auto method = small_method(std::string(info.name));
    const auto classifier = method->make_classifier(small_problem());
    for (const Player& player : method->players()) {
      const auto trained = player.network->named_parameters();
      for (const Follower& follower : player.followers) {
        if (follower.name != kAverage) continue;
        for (const auto& item : classifier->named_parameters()) {
          const at::Tensor& original = trained[follower.part + item.key()];
          EXPECT_EQ(item.value().sizes(), original.sizes());
          EXPECT_NE(item.value().data_ptr(), original.data_ptr());
        }
      }
    }
  }
}

TEST(Methods, EveryNetworkGetsGradientsForAllParameters) {
  for (const NetworkInfo& info : all_networks()) {
    SCOPED_TRACE(info.name);
    const Settings settings{{"network", std::string(info.name)}, {"se-reduction", 1}};
    const auto method = initialized("supervised", settings);
    const Phase phase = method->stages()[0].phases[0];
    phase.losses(RandomBatches{small_problem_for(settings)}(phase.batch, 0, 0))[0][0].value.backward();
    for (const auto& item : method->players()[0].network->named_parameters()) {
      EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
    }
  }
}

TEST(FrGan, RejectsNetworksWithBatchStatistics) {
  EXPECT_EQ(usage_message([] {
              small_method("fr-gan", {{"network", "wrn-28-2"}});
            }),
            "--network wrn-28-2 cannot be combined with --method fr-gan: the batch statistics of wrn-28-2 would mix "
            "labeled, unlabeled and generated images; use --network table1 or mlp");
  EXPECT_NO_THROW(small_method("fr-gan", {{"network", "mlp"}}));
}

// ---- FR-GAN

TEST(FrGan, RequestsTheBatchesOfTheAlgorithm) {
  const auto requests = [](const Settings& settings) {
    const auto method = small_method("fr-gan", settings);
    return std::pair{phase_of(*method, 0), phase_of(*method, 1)};
  };
  {
    const auto [d, g] = requests({{"disc-steps", 3}, {"noise-size", 9}});
    EXPECT_THAT(d.players, ElementsAre("discriminator"));
    EXPECT_THAT(g.players, ElementsAre("generator"));
    EXPECT_EQ(d.repeat, 3);
    EXPECT_EQ(g.repeat, 1);
    EXPECT_EQ(count_of(d.batch, Pool::kLabeled), 4);
    EXPECT_EQ(views_of(d.batch, Pool::kLabeled), 1U);
    EXPECT_EQ(count_of(d.batch, Pool::kAll), 4);
    EXPECT_EQ(views_of(d.batch, Pool::kAll), 2U);
    EXPECT_EQ(d.batch.draws[1].order, 0U);
    EXPECT_EQ(d.batch.noise.count, 4);
    EXPECT_EQ(d.batch.noise.size, 9);
    EXPECT_TRUE(g.batch.draws.empty());
    EXPECT_EQ(g.batch.noise.count, 4);
    EXPECT_EQ(g.batch.noise.size, 9);
  }
  EXPECT_EQ(views_of(requests({{"consistency-weight", 0}}).first.batch, Pool::kAll), 1U);
  EXPECT_EQ(views_of(requests({{"consistency-labeled", true}}).first.batch, Pool::kLabeled), 2U);
  EXPECT_EQ(count_of(requests({{"mixed-batch", true}}).first.batch, Pool::kLabeled), 0);
  for (const char* loss : {"feature_matching", "fm+ns"}) {  // real images come from a second stream (A27)
    const auto [d, g] = requests({{"gen-loss", loss}});
    EXPECT_EQ(count_of(g.batch, Pool::kAll), 4);
    EXPECT_EQ(g.batch.draws[0].order, 1U);
  }
}

TEST(FrGan, HasTheLossTermsOfTheAlgorithm) {
  const auto terms = [](const Settings& settings, size_t index) {
    const auto method = initialized("fr-gan", settings);
    const Phase phase = phase_of(*method, index);
    return names_of(phase.losses(RandomBatches{}(phase.batch, 0, 0))[0]);
  };
  EXPECT_THAT(terms({}, 0), ElementsAre("supervised", "real", "fake", "consistency"));
  EXPECT_THAT(terms({{"consistency-weight", 0}}, 0), ElementsAre("supervised", "real", "fake"));
  EXPECT_THAT(terms({}, 1), ElementsAre("generator"));
  EXPECT_THAT(terms({{"gen-loss", "saturating"}}, 1), ElementsAre("generator"));
  EXPECT_THAT(terms({{"gen-loss", "feature_matching"}}, 1), ElementsAre("feature_matching"));
  EXPECT_THAT(terms({{"gen-loss", "fm+ns"}}, 1), ElementsAre("generator", "feature_matching"));
}

TEST(FrGan, EachLossTermDependsOnItsImagesOnly) {
  using Set = std::set<std::string>;
  const auto method = initialized("fr-gan");
  EXPECT_EQ(images_of(*method, "supervised"), (Set{"labeled0"}));
  EXPECT_EQ(images_of(*method, "real"), (Set{"unlabeled0"}));  // the first branch (A25)
  EXPECT_EQ(images_of(*method, "fake"), Set{});
  EXPECT_EQ(images_of(*method, "consistency"), (Set{"unlabeled0", "unlabeled1"}));
  EXPECT_EQ(images_of(*initialized("fr-gan", {{"consistency-labeled", true}}), "consistency"),
            (Set{"labeled0", "labeled1", "unlabeled0", "unlabeled1"}));
  EXPECT_EQ(images_of(*initialized("fr-gan", {{"stop-gradient", true}}), "consistency"), (Set{"unlabeled0"}));
  EXPECT_EQ(images_of(*initialized("fr-gan", {{"mixed-batch", true}}), "supervised"), (Set{"unlabeled0"}));
}

// The consistency gradient of the discriminator is the sum of the gradients through both branches. The gradient that
// stop-gradient removes must not be 0.
TEST(FrGan, ConsistencyGradientFlowsThroughBothBranches) {
  std::vector<std::vector<at::Tensor>> by_stop;  // gradients without and with stop-gradient
  for (const bool stop : {false, true}) {
    const auto method = initialized("fr-gan", {{"stop-gradient", stop}});
    const Phase phase = phase_of(*method, 0);
    const Losses losses = phase.losses(RandomBatches{}(phase.batch, 0, 0))[0];
    const at::Tensor value = term(losses, "consistency").value;
    EXPECT_GT(value.item<double>(), 0);
    by_stop.push_back(gradients(value, method->players()[0].network->parameters()));
  }
  double first = 0, second = 0;
  for (size_t i = 0; i < by_stop[0].size(); ++i) {
    if (!by_stop[0][i].defined()) continue;
    first += by_stop[1][i].abs().sum().item<double>();
    second += (by_stop[0][i] - by_stop[1][i]).abs().sum().item<double>();
  }
  EXPECT_GT(first, 1e-6);
  EXPECT_GT(second, 1e-6);
}

// The branches differ by dropout even without augmentation.
TEST(FrGan, BranchesHaveIndependentDropout) {
  const auto consistency = [](double dropout) {
    const auto method = initialized("fr-gan", {{"input-dropout", dropout}, {"block-dropout", dropout}});
    const Phase phase = phase_of(*method, 0);
    Batch batch = RandomBatches{}(phase.batch, 0, 0);
    batch.from(Pool::kAll).views[1] = batch.from(Pool::kAll).views[0];
    return term(phase.losses(batch)[0], "consistency").value.item<double>();
  };
  EXPECT_GT(consistency(0.2), 1e-9);
  EXPECT_LT(consistency(0), 1e-20);
}

TEST(FrGan, GeneratedImagesAndRealFeaturesAreConstants) {
  const auto method = initialized("fr-gan", {{"gen-loss", "fm+ns"}});
  const auto generator = method->players()[1].network->parameters();
  const Phase d = phase_of(*method, 0), g = phase_of(*method, 1);
  const Losses of_discriminator = d.losses(RandomBatches{}(d.batch, 0, 0))[0];
  for (const Loss& loss : of_discriminator) {
    for (const at::Tensor& gradient : gradients(loss.value, generator)) EXPECT_FALSE(gradient.defined()) << loss.name;
  }
  // Feature matching treats the real features as constants.
  Batch batch = RandomBatches{}(g.batch, 0, 1);
  all_of(batch).views[0].requires_grad_();
  const Losses of_generator = g.losses(batch)[0];
  for (const Loss& loss : of_generator) {
    EXPECT_FALSE(reaches(loss.value, all_of(batch).views[0])) << loss.name;
    EXPECT_TRUE(reaches(loss.value, generator[0])) << loss.name;
  }
}

TEST(FrGan, OnlyTheGeneratorPhaseUpdatesRunningStatistics) {
  const auto method = initialized("fr-gan");
  const auto generator = method->players()[1].network;
  const auto statistics = [&] {
    std::vector<at::Tensor> copies;
    for (const at::Tensor& buffer : generator->buffers()) copies.push_back(buffer.flatten().clone());
    return at::cat(copies);
  };
  const at::Tensor before = statistics();
  const Phase d = phase_of(*method, 0), g = phase_of(*method, 1);
  d.losses(RandomBatches{}(d.batch, 0, 0));
  EXPECT_TRUE(statistics().equal(before));
  g.losses(RandomBatches{}(g.batch, 0, 1));
  EXPECT_FALSE(statistics().equal(before));
}

TEST(FrGan, GeneratedImageDependsOnItsNoiseOnly) {
  const auto method = initialized("fr-gan");
  const Sampler sampler = *method->sampler();
  EXPECT_EQ(sampler.noise_size, 8);
  EXPECT_EQ(sampler.noise, NoiseKind::kSymmetric);
  EXPECT_FALSE(sampler.class_conditional);
  const torch::NoGradGuard no_grad;
  const at::Tensor noise = RandomBatches{}(ShortRequest{.noise = 4, .noise_size = 8}, 0, 0).noise;
  const at::Tensor images = sampler.images(noise, {});
  EXPECT_EQ(images.sizes(), (at::IntArrayRef{4, 1, 16, 16}));
  EXPECT_TRUE(at::allclose(sampler.images(noise.narrow(0, 1, 2), {}), images.narrow(0, 1, 2)));
  const auto batch_method = initialized("fr-gan", {{"sampling-statistics", "batch"}});  // the other choice of A32
  const Sampler of_batch = *batch_method->sampler();
  EXPECT_FALSE(at::allclose(of_batch.images(noise.narrow(0, 1, 2), {}), of_batch.images(noise, {}).narrow(0, 1, 2)));
}

TEST(FrGan, ConsistencyWeightRisesFromZeroToItsMaximum) {
  const auto method = small_method("fr-gan", {{"consistency-weight", 50}});
  const auto schedules = method->schedules();
  const auto weight = std::find_if(schedules.begin(), schedules.end(),
                                   [](const Schedule& schedule) { return schedule.name == "consistency_weight"; });
  ASSERT_NE(weight, schedules.end());
  EXPECT_EQ(weight->value(0, 0), 0);
  EXPECT_GT(weight->value(0.01, 1), 0);
  EXPECT_LT(weight->value(0.08, 8), 50);
  EXPECT_EQ(weight->value(0.09, 9), 50);
  EXPECT_EQ(weight->value(1, 100), 50);
}

TEST(FrGan, RejectsContradictoryOptions) {
  EXPECT_THAT(usage_message([] {
                small_method("fr-gan", {{"ramp-start", 0.5}, {"ramp-end", 0.4}});
              }),
              AllOf(HasSubstr("--ramp-start"), HasSubstr("--ramp-end")));
  small_method("fr-gan", {{"ramp", "none"}, {"ramp-start", 0.5}, {"ramp-end", 0.4}});  // both are unused
  EXPECT_THAT(usage_message([] {
                small_method("fr-gan", {{"mixed-batch", true}, {"consistency-labeled", true}});
              }),
              AllOf(HasSubstr("--mixed-batch"), HasSubstr("--consistency-labeled")));
}

// 2 x multiply-adds, counted by hand. The first convolution has 256 x 4 x 1 x 9; blocks 1 and 2 work at 16x16, 8x8 and
// 4x4 pixels, conv7 and the 1x1 convolutions at 2x2. The last two terms of kD are the dense layer and
// squeeze-and-excitation. A transposed convolution has 25 taps per input pixel.
TEST(FrGan, StepFlopCountsEveryPass) {
  constexpr double kD = 2 * (9216 + 36864 + 9216 + 18432 + 36864 + 9216 + 4608 + 512 + 256 + 24 + 16);
  constexpr double kG = 2 * (128 * 8 + 4 * 25 * 32 * 16 + 16 * 25 * 16 * 8 + 64 * 25 * 8 * 1);
  struct Case {
    Settings settings;
    double d, g;  // work per image, in forward passes of each network
  };
  const Case cases[] = {{{}, 4 * 3 + 2, 1 + 3},
                        {{{"consistency-weight", 0.0}}, 3 * 3 + 2, 1 + 3},
                        {{{"consistency-weight", 0.0}, {"consistency-labeled", true}}, 3 * 3 + 2, 1 + 3},
                        {{{"stop-gradient", true}}, 3 * 3 + 1 + 2, 1 + 3},
                        {{{"consistency-labeled", true}, {"consistency-generated", true}}, 6 * 3 + 2, 1 + 3},
                        {{{"mixed-batch", true}}, 3 * 3 + 2, 1 + 3},
                        {{{"gen-loss", "feature_matching"}}, 4 * 3 + 3, 1 + 3},
                        {{{"gen-loss", "fm+ns"}, {"disc-steps", 3}}, 3 * 4 * 3 + 3, 3 * 1 + 3}};
  for (const Case& each : cases) {
    EXPECT_EQ(step_flop_of("fr-gan", each.settings), 4 * (each.d * kD + each.g * kG));
  }
  EXPECT_EQ(step_flop_of("supervised"), 4 * 3 * kD);
  // No squeeze-and-excitation; max pooling after a convolution with stride 1.
  EXPECT_EQ(step_flop_of("supervised", {{"se-position", "none"}}), 4 * 3 * (kD - 2 * 16));
  EXPECT_EQ(step_flop_of("supervised", {{"pooling", "max"}}), 4 * 3 * (kD + 2 * 3 * (9216 + 9216)));
}

TEST(FrGan, StepFlopAtFullWidth) {
  const auto gigaflop = [](const std::string& name) {
    return 1e-9 * step_flop_of(name, {{"width", 1.0}, {"noise-size", 100}, {"batch-size", 100}},
                               {.shape = {.image_size = 32, .channels = 3, .classes = 10}});
  };
  EXPECT_NEAR(gigaflop("fr-gan"), 443.24, 0.005);
  EXPECT_NEAR(gigaflop("supervised"), 76.44, 0.005);
}

// ---- Supervised baseline

TEST(Supervised, UsesLabeledImagesOnly) {
  const auto method = initialized("supervised");
  ASSERT_EQ(method->stages().size(), 1U);
  ASSERT_EQ(method->stages().front().phases.size(), 1U);
  const Phase phase = phase_of(*method, 0);
  EXPECT_EQ(count_of(phase.batch, Pool::kLabeled), 4);
  EXPECT_EQ(count_of(phase.batch, Pool::kAll), 0);
  EXPECT_EQ(phase.batch.noise.count, 0);
  EXPECT_THAT(names_of(phase.losses(RandomBatches{}(phase.batch, 0, 0))[0]), ElementsAre("supervised"));
  EXPECT_FALSE(method->sampler().has_value());
}

// Both methods start from the same discriminator weights.
TEST(Supervised, StartsFromTheDiscriminatorOfFrGan) {
  const auto weights_of = [](const std::string& name) {
    return named_tensors(*small_method(name)->players()[0].network);
  };
  const NamedTensors supervised = weights_of("supervised"), fr_gan = weights_of("fr-gan");
  ASSERT_EQ(supervised.size(), fr_gan.size());
  for (const auto& [name, tensor] : supervised) EXPECT_TRUE(tensor.equal(fr_gan.at(name))) << name;
}

// ---- Mean Teacher

TEST(MeanTeacher, RequestsTwoViewsOfUnlabeledImages) {
  const Phase phase = phase_of(*small_method("mean-teacher"), 0);
  EXPECT_EQ(count_of(phase.batch, Pool::kLabeled), 4);
  EXPECT_EQ(views_of(phase.batch, Pool::kLabeled), 1U);
  EXPECT_EQ(count_of(phase.batch, Pool::kAll), 4);
  EXPECT_EQ(views_of(phase.batch, Pool::kAll), 2U);
}

TEST(MeanTeacher, TermsUseTheirImages) {
  const auto method = initialized("mean-teacher", {{"conv-large-norm", "batch_norm"}});
  // Labeled and unlabeled images share their batch statistics, so each term depends on both, but not on the teacher's.
  EXPECT_THAT(images_of(*method, "supervised"), ElementsAre("labeled0", "unlabeled0"));
  EXPECT_THAT(images_of(*method, "consistency"), ElementsAre("labeled0", "unlabeled0"));
  const auto separate = initialized("mean-teacher", {{"network", "mlp"}});
  EXPECT_THAT(images_of(*separate, "supervised"), ElementsAre("labeled0"));
  EXPECT_THAT(images_of(*separate, "consistency"), ElementsAre("unlabeled0"));
}

TEST(MeanTeacher, TheTeacherGetsNoGradientAndItsOwnStatistics) {
  const auto method = initialized("mean-teacher");
  const Player student = method->players()[0];
  const NetworkPtr teacher = student.followers[0].network;
  EXPECT_EQ(student.followers[0].buffers, FollowerBuffers::kOwn);
  const auto statistics_of = [](const torch::nn::Module& network) {
    std::vector<at::Tensor> copies;
    for (const at::Tensor& buffer : network.buffers()) copies.push_back(buffer.clone());
    return copies;
  };
  const auto teacher_before = statistics_of(*teacher), student_before = statistics_of(*student.network);
  const Phase phase = phase_of(*method, 0);
  const Losses losses = phase.losses(RandomBatches{}(phase.batch, 0, 0))[0];
  for (const Loss& loss : losses) {
    for (const at::Tensor& gradient : gradients(loss.value, teacher->parameters())) {
      EXPECT_FALSE(gradient.defined()) << loss.name;
    }
  }
  EXPECT_FALSE(teacher->buffers()[0].equal(teacher_before[0]));
  EXPECT_FALSE(student.network->buffers()[0].equal(student_before[0]));
  EXPECT_FALSE(teacher->buffers()[0].equal(student.network->buffers()[0]));
}

// The consistency term is the mean squared difference of the probabilities of student and teacher.
TEST(MeanTeacher, ConsistencyEqualsTheFormula) {
  const auto method = initialized("mean-teacher", {{"network", "mlp"}, {"input-dropout", 0.0}});
  const Player student = method->players()[0];
  const Phase phase = phase_of(*method, 0);
  const Batch batch = RandomBatches{}(phase.batch, 0, 0);
  const auto probabilities = [&](const torch::nn::Module& network, size_t view) {
    return dynamic_cast<const Network&>(network).forward(all_of(batch).views[view], {}).logits.softmax(1);
  };
  const at::Tensor difference = probabilities(*student.network, 0) - probabilities(*student.followers[0].network, 1);
  EXPECT_NEAR(term(phase.losses(batch)[0], "consistency").value.item<double>(),
              difference.square().mean().item<double>(), 1e-14);
}

// ---- FixMatch

TEST(FixMatch, RequestsWeakAndStrongViews) {
  const Phase phase = phase_of(*small_method("fixmatch", {{"unlabeled-ratio", 3}}), 0);
  EXPECT_EQ(count_of(phase.batch, Pool::kLabeled), 4);
  EXPECT_EQ(count_of(phase.batch, Pool::kAll), 12);
  EXPECT_THAT(phase.batch.draws[0].views, ElementsAre(kWeakPolicy));
  EXPECT_THAT(phase.batch.draws[1].views, ElementsAre(kWeakPolicy, kStrongPolicy));
}

// Labels come from the weak view, gradients from the strong one.
TEST(FixMatch, TermsUseTheirImages) {
  const auto method = initialized("fixmatch", {{"network", "table1"}, {"threshold", 0.0}});
  EXPECT_THAT(images_of(*method, "supervised"), ElementsAre("labeled0"));
  EXPECT_THAT(images_of(*method, "pseudo_labels"), ElementsAre("unlabeled1"));
}

TEST(FixMatch, ConfidentImagesAreThoseAboveTheThreshold) {
  const auto terms_with = [](double threshold) {
    const auto method = initialized("fixmatch", {{"threshold", threshold}});
    const Phase phase = phase_of(*method, 0);
    return phase.losses(RandomBatches{}(phase.batch, 0, 0))[0];
  };
  EXPECT_EQ(term(terms_with(0), "confident").value.item<double>(), 1);
  const Losses none = terms_with(1);
  EXPECT_EQ(term(none, "confident").value.item<double>(), 0);
  EXPECT_EQ(term(none, "pseudo_labels").value.item<double>(), 0);
  EXPECT_EQ(term(none, "confident").weight, "");  // only logged
}

// Each kind of images changes the running statistics.
TEST(FixMatch, AllImagesUpdateTheStatistics) {
  const auto statistics_after = [](const std::function<void(Batch&)>& change) {
    const auto method = initialized("fixmatch");
    const Phase phase = phase_of(*method, 0);
    Batch batch = RandomBatches{}(phase.batch, 0, 0);
    batch.updates = at::zeros({}, at::kDouble);
    change(batch);
    phase.losses(batch);
    return method->players()[0].network->buffers()[2].clone();
  };
  const at::Tensor expected = statistics_after([](Batch&) {});
  const auto other = [](at::Tensor& images) { images = images * 3; };
  EXPECT_TRUE(expected.equal(statistics_after([](Batch&) {})));
  EXPECT_FALSE(expected.equal(statistics_after([&](Batch& batch) { other(batch.from(Pool::kLabeled).views[0]); })));
  EXPECT_FALSE(expected.equal(statistics_after([&](Batch& batch) { other(batch.from(Pool::kAll).views[0]); })));
  EXPECT_FALSE(expected.equal(statistics_after([&](Batch& batch) { other(batch.from(Pool::kAll).views[1]); })));
}

TEST(Methods, BatchStatisticsNeedTwoImages) {
  for (const char* method : {"supervised", "mean-teacher", "fixmatch"}) {
    EXPECT_EQ(usage_message([&] {
                small_method(method, {{"network", "conv-large"}, {"batch-size", 1}});
              }),
              "invalid --batch-size 1: the batch statistics of conv-large need at least 2 images")
        << method;
    EXPECT_NO_THROW(small_method(method, {{"network", "mlp"}, {"batch-size", 1}}));
  }
}

}  // namespace
}  // namespace frgan
