// M1+M2 against plain PyTorch, and its generated images. methods_test.cpp and the tests of the trainer cover it, too.
#include "frgan/methods/m1m2.h"

#include <cmath>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "frgan/core/error.h"
#include "frgan/losses/variational.h"
#include "frgan/nn/named_tensors.h"
#include "small_methods.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

// The sizes of the golden file.
std::unique_ptr<Method> golden_method(const GoldenFile& golden) {
  auto method = small_method("m1m2", {{"width", 1.0},
                                      {"m1-layers", 1},
                                      {"m1-units", 8},
                                      {"m2-units", 6},
                                      {"latent-size", 4},
                                      {"class-latent-size", 3}});
  const torch::NoGradGuard no_grad;
  for (const Player& player : method->players()) {
    for (const auto& [name, tensor] : named_tensors(*player.network, player.name + ".")) tensor.copy_(golden[name]);
  }
  return method;
}

void expect_golden(const Losses& losses, const torch::nn::Module& network, const std::string& prefix,
                   const GoldenFile& golden) {
  at::Tensor total = at::zeros({}, at::kDouble);
  for (const Loss& loss : losses) {
    EXPECT_TRUE(close_to(loss.value, golden[loss.name], 1e-12)) << loss.name;
    total = total + loss.value;
  }
  for (const auto& item : network.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const at::Tensor gradient = torch::autograd::grad({total}, {item.value()}, {}, /*retain_graph=*/true)[0];
    EXPECT_TRUE(close_to(gradient, golden["gradient." + prefix + item.key()], 1e-11)) << item.key();
  }
}

TEST(M1M2, FirstStageMatchesGoldenValues) {
  const GoldenFile golden("m1m2");
  const auto method = golden_method(golden);
  Batch batch;
  batch.draws.push_back({Pool::kAll, {golden["images"]}, {}, {}, golden["noise"]});
  const Losses losses = method->stages()[0].phases[0].losses(batch)[0];
  ASSERT_EQ(losses.size(), 2U);
  expect_golden(losses, *method->players()[0].network, "m1.", golden);
}

TEST(M1M2, SecondStageMatchesGoldenValues) {
  const GoldenFile golden("m1m2");
  const auto method = golden_method(golden);
  Batch batch;
  batch.draws.push_back({Pool::kLabeled, {golden["labeled"]}, golden["labels"], {}, golden["labeled_noise"]});
  const at::Tensor hidden = at::full({4}, -1, at::kLong);
  batch.draws.push_back({Pool::kUnlabeled, {golden["unlabeled"]}, hidden, {}, golden["unlabeled_noise"]});
  const Losses losses = method->stages()[1].phases[0].losses(batch)[0];
  ASSERT_EQ(losses.size(), 3U);
  expect_golden(losses, *method->players()[1].network, "m2.", golden);
}

// With one latent variable, log p(x) can be integrated numerically: the bound is below it, and equal to it if q is the
// true posterior.
TEST(Variational, BoundOfATwoDimensionalGaussianIsTight) {
  // x = (a z, b z) + noise of standard deviation s; the posterior of z is Gaussian.
  const double a = 0.8, b = -1.5, s = 0.6;
  const at::Tensor x = at::tensor({0.7, -0.4, 1.2, 0.9}, at::kDouble).view({2, 2});
  const at::Tensor loading = at::tensor({a, b}, at::kDouble).view({1, 2});
  const at::Tensor precision = at::full({2, 1}, 1 + (a * a + b * b) / (s * s), at::kDouble);
  const at::Tensor mean = at::mm(x, loading.t()) / (s * s) / precision;
  const auto likelihood = [&](const at::Tensor& z) {  // of x[row] for each z
    return Gaussian{at::mm(z, loading), at::full({z.size(0), 2}, 2 * std::log(s), at::kDouble)};
  };
  const auto bound = [&](const Gaussian& q, int64_t row) {  // the expectation over q by a fine grid
    const at::Tensor noise = at::linspace(-8, 8, 4001, at::kDouble).view({-1, 1});
    const at::Tensor weight =
        (-0.5 * noise.square()).exp().view({-1}) * (16.0 / 4000 / std::sqrt(2 * std::numbers::pi));
    const Gaussian at_row{q.mean[row].view({1, 1}).expand_as(noise), q.log_variance[row].view({1, 1}).expand_as(noise)};
    const at::Tensor z = sample_of(at_row, noise);
    const at::Tensor density = log_density(x[row].view({1, 2}).expand({4001, 2}), likelihood(z));
    return ((density * weight).sum() - kl_to_standard_normal(q)[row]).item<double>();
  };
  for (int64_t row = 0; row < 2; ++row) {
    const at::Tensor z = at::linspace(-12, 12, 20001, at::kDouble).view({-1, 1});
    const at::Tensor joint = log_density(x[row].view({1, 2}).expand({20001, 2}), likelihood(z)) +
                             log_density(z, {at::zeros_like(z), at::zeros_like(z)});
    const double evidence = std::log(joint.exp().sum().item<double>() * 24 / 20000);
    EXPECT_NEAR(bound({mean, -precision.log()}, row), evidence, 1e-6);
    EXPECT_LT(bound({mean + 0.1, -precision.log()}, row), evidence - 1e-3);
    EXPECT_LT(bound({mean, -precision.log() + 0.3}, row), evidence - 1e-3);
  }
}

TEST(Variational, BoundOverClassesIsLogSumForThePosterior) {
  const at::Tensor bounds = at::tensor({-1.0, -2.0, 0.5, 3.0, -4.0, 0.0}, at::kDouble).view({2, 3});
  EXPECT_TRUE(at::allclose(bound_over_classes(bounds, bounds), at::logsumexp(bounds, 1)));  // q(y) = p(y|x)
  EXPECT_TRUE((bound_over_classes(bounds, at::zeros_like(bounds)) < at::logsumexp(bounds, 1)).all().item<bool>());
}

TEST(M1M2, SecondStageFreezesTheEncoderOfTheFirst) {
  const auto method = small_method("m1m2");
  const Stage second = method->stages()[1];
  second.initialize(RandomBatches{}(second.initial_batch, 0, 0));
  const std::vector<at::Tensor> encoder = dynamic_cast<const M1&>(*method->players()[0].network).encoder->parameters();
  const auto& m2 = dynamic_cast<const M2&>(*method->players()[1].network);
  size_t frozen = 0;
  for (const at::Tensor& parameter : m2.classifier->parameters()) {
    if (parameter.requires_grad()) continue;
    EXPECT_TRUE(parameter.equal(encoder.at(frozen++)));
  }
  EXPECT_EQ(frozen, encoder.size());
  // The classifier of an image is q(y|z1) at the mean of q(z1|x).
  const at::Tensor images = RandomBatches{}(second.initial_batch, 1, 0).draws[0].views[0];
  const at::Tensor mean = gaussian_of(m2.classifier->encode(images, {})).mean;
  EXPECT_TRUE(at::allclose(m2.classifier->forward(images, {}).logits, m2.classifier->classify(mean, {})));
}

// Without bounds, only the labels train, and nothing can be generated.
TEST(M1M2, BoundWeightZeroTrainsTheClassifierAlone) {
  const auto method = small_method("m1m2", {{"bound-weight", 0.0}});
  const Phase phase = method->stages()[1].phases[0];
  ASSERT_EQ(phase.batch.draws.size(), 1U);
  EXPECT_EQ(phase.batch.draws[0].pool, Pool::kLabeled);
  const Losses losses = phase.losses(RandomBatches{}(phase.batch, 0, 0))[0];
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(losses[0].name, "supervised");
  EXPECT_FALSE(method->sampler().has_value());
}

double weight_of(const Method& method, const std::string& name) {
  for (const Schedule& schedule : method.schedules()) {
    if (schedule.name == name) return schedule.value(0, 0);
  }
  throw std::logic_error("no schedule " + name);
}

// Each bound counts as often as its images occur.
TEST(M1M2, BoundsHaveTheSharesOfTheirImages) {
  Problem problem = small_problem();
  problem.train_images = 400;
  problem.labeled_images = 10;
  const auto method = small_method("m1m2", {{"bound-weight", 2.0}}, problem);
  EXPECT_DOUBLE_EQ(weight_of(*method, "labeled_bound_weight"), 2.0 * 10 / 400);
  EXPECT_DOUBLE_EQ(weight_of(*method, "unlabeled_bound_weight"), 2.0 * 390 / 400);
}

TEST(M1M2, NeedsNoUnlabeledImages) {
  Problem problem = small_problem();
  problem.train_images = problem.labeled_images = 400;
  const auto method = small_method("m1m2", {}, problem);
  const Phase phase = method->stages()[1].phases[0];
  ASSERT_EQ(phase.batch.draws.size(), 1U);
  EXPECT_EQ(phase.losses(RandomBatches{}(phase.batch, 0, 0))[0].size(), 2U);  // supervised and labeled bound
}

TEST(M1M2, GeneratesImagesOfAClass) {
  const auto method = small_method("m1m2");
  const Sampler sampler = *method->sampler();
  EXPECT_TRUE(sampler.class_conditional);
  const at::Tensor images = sampled_images(sampler, 6, /*key=*/5, small_problem());
  EXPECT_EQ(images.sizes(), (at::IntArrayRef{6, 1, 16, 16}));
  EXPECT_FALSE(images.requires_grad());
  // Classes take turns: images 1 and 4 are of class 1.
  const at::Tensor ones = sampled_images(sampler, 6, 5, small_problem(), 0, /*label=*/1);
  for (int64_t i = 0; i < 6; ++i) EXPECT_EQ(at::allclose(images[i], ones[i]), i % 3 == 1) << i;
}

// Generated values pass through the inverse of the fitted normalization.
TEST(M1M2, GeneratesPixelsFromNormalizedValues) {
  const at::Tensor pixels = random_integers({300, 16, 16, 1}, 60, 180, /*key=*/3, at::kCPU).to(at::kByte);
  const at::Tensor images = (pixels.to(at::kDouble) / 127.5 - 1).permute({0, 3, 1, 2});
  for (const std::string normalization : {"scale", "standard", "zca", "pca"}) {
    const auto method = small_method("m1m2", {{"normalization", normalization}});
    const auto network = std::dynamic_pointer_cast<M1>(method->players()[0].network);
    ASSERT_TRUE(network);
    const at::Tensor neutral = network->values_of(images);
    fit_input_normalization({network}, pixels, at::arange(300, at::kLong));
    const at::Tensor values = network->values_of(images);
    EXPECT_EQ(values.equal(neutral), normalization == "scale");
    EXPECT_TRUE(at::allclose(network->images_of()(values), images, 1e-6, 1e-8)) << normalization;
  }
  try {
    small_method("m1m2", {{"normalization", "image"}});
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--normalization image cannot be combined with --method m1m2"));
  }
}

TEST(M1M2, TheWeightOfTheKlDivergenceWarmsUp) {
  const auto weight = [](double warm_up, double progress) {
    const auto method = small_method("m1m2", {{"kl-warm-up", warm_up}});
    for (const Schedule& schedule : method->schedules()) {
      if (schedule.name == "kl_weight") return schedule.value(progress, 0);
    }
    return -1.0;
  };
  EXPECT_EQ(weight(0, 0), 1);
  EXPECT_EQ(weight(0.4, 0), 0);
  EXPECT_DOUBLE_EQ(weight(0.4, 0.1), 0.25);
  EXPECT_EQ(weight(0.4, 0.4), 1);
  EXPECT_EQ(weight(0.4, 0.9), 1);
}

// M1 sees fewer values than an image has; generated images are complete.
TEST(M1M2, PrincipalComponentsReplaceTheImage) {
  const auto method = small_method("m1m2", {{"normalization", "pca"}, {"components", 9}});
  const auto network = std::dynamic_pointer_cast<M1>(method->players()[0].network);
  fit_input_normalization({network}, random_integers({300, 16, 16, 1}, 60, 180, /*key=*/3, at::kCPU).to(at::kByte),
                          at::arange(300, at::kLong));
  EXPECT_EQ(network->encoder->layers().front().output, network->decoder->layers().front().output);
  EXPECT_EQ(network->decoder->layers().back().output, std::vector<int64_t>{18});
  EXPECT_EQ(sampled_images(*method->sampler(), 3, /*key=*/1, small_problem()).sizes(), (at::IntArrayRef{3, 1, 16, 16}));
}

// The work of both stages, counted by hand for the sizes of the golden file; K = 3, batch 4.
TEST(M1M2, StepFlopCountsEveryPass) {
  const auto method = golden_method(GoldenFile("m1m2"));
  const auto dense = [](double in, double out) { return 2 * in * out; };
  const double encoder1 = dense(256, 8) + dense(8, 8), decoder1 = dense(4, 8) + dense(8, 512);
  const double classify = dense(4, 6) + dense(6, 3);
  const double bound = dense(7, 6) + dense(6, 6) + dense(6, 6) + dense(6, 8);
  const std::vector<Stage> stages = method->stages();
  EXPECT_DOUBLE_EQ(stages[0].step_flop, 4 * 3 * (encoder1 + decoder1));
  EXPECT_DOUBLE_EQ(stages[1].step_flop, 4 * (2 * encoder1 + 6 * classify + 3 * 4 * bound));
  EXPECT_DOUBLE_EQ(mean_step_flop(stages), (stages[0].step_flop + stages[1].step_flop) / 2);
  // Whitening is a forward pass in both stages.
  const Settings zca{{"normalization", "zca"}}, alone{{"bound-weight", 0.0}};
  const auto whitened = small_method("m1m2", zca)->stages(), plain = small_method("m1m2")->stages();
  EXPECT_DOUBLE_EQ(whitened[0].step_flop - plain[0].step_flop, 4 * dense(256, 256));
  EXPECT_DOUBLE_EQ(whitened[1].step_flop - plain[1].step_flop, 8 * dense(256, 256));
  EXPECT_LT(small_method("m1m2", alone)->stages()[1].step_flop, plain[1].step_flop / 4);
}

}  // namespace
}  // namespace frgan
