// End-to-end: on a toy problem with few labels and many images, each semi-supervised method has a lower test error than
// supervised training of the same network.
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../methods/small_methods.h"
#include "frgan/data/batch_stream.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

// 16x16 grayscale images of bars; the class is one of four orientations. Position (up to `shift` pixels from the
// center), brightness, small rotations, lighting gradient and noise are random and independent of the class.
ImageSet bars(int64_t count, uint64_t seed, double shift) {
  const auto uniform = [&](double bound, uint64_t what, at::IntArrayRef shape) {
    return random_uniform(shape, -bound, bound, random_key(seed, Stream::kNoise, what), at::kFloat);
  };
  const std::vector<int64_t> one{count, 1, 1};
  const at::Tensor labels = at::arange(count, at::kLong).remainder(4);
  const at::Tensor angle = labels.to(at::kFloat).view(one) * (std::numbers::pi / 4) + uniform(0.25, 1, one);
  const at::Tensor x = at::linspace(-7.5, 7.5, 16).view({1, 1, 16}), y = x.view({1, 16, 1});
  const at::Tensor distance = x * angle.cos() + y * angle.sin() - uniform(shift, 2, one);
  const at::Tensor brightness = uniform(1, 3, one).sign() * (0.75 + uniform(0.25, 4, one));
  const at::Tensor light = uniform(0.05, 5, one) * x + uniform(0.05, 6, one) * y;
  const at::Tensor grey = brightness * (-distance.square() / 2).exp() + light + uniform(0.2, 7, {count, 16, 16});
  return {((grey + 1) * 127.5).clamp(0, 255).to(at::kByte).unsqueeze(-1), labels};
}

// The length and the options of each semi-supervised method; supervised training gets those that it has.
struct Case {
  int64_t steps;
  Settings settings;
  double shift = 4;  // of the bars
  std::string baseline = "supervised";
  Settings of_baseline = {};
};

// Test error after training on 1,000 images, 12 of them labeled.
double test_error(const std::string& name, const Case& chosen, uint64_t seed) {
  const Problem problem{.shape = {.image_size = 16, .channels = 1, .classes = 4}, .seed = seed};
  Settings settings{{"width", 0.125},    {"batch-size", 16},           {"noise-size", 20},
                    {"init-images", 64}, {"learning-rate", 5e-3},      {"average-decay", 0.95},
                    {"adv-weight", 0.2}, {"consistency-weight", 10.0}, {"ramp-start", 0.0},
                    {"ramp-end", 0.3},   {"m2-learning-rate", 5e-3}};
  settings.insert(settings.end(), chosen.settings.begin(), chosen.settings.end());
  const auto method = small_method(name, settings, problem);
  const ImageSet train = bars(1000, 1, chosen.shift), test = bars(400, 2, chosen.shift);
  LabelSplit split;
  split.train_images = train.size();
  for (int64_t row = 0; row < 12; ++row) split.labeled.push_back(row);
  BatchStream batches(
      train, split,
      {.policies = {{kWeakPolicy, {.translate = 2}}, {kStrongPolicy, {.translate = 4, .noise = 0.3, .cutout = 0.4}}},
       .seed = seed});
  Trainer trainer(
      *method, problem,
      [&](const BatchRequest& request, uint64_t draw, uint64_t part) { return batches.next(request, draw, part); },
      chosen.steps);
  trainer.initialize();
  while (trainer.steps_done() < chosen.steps) trainer.step();
  const torch::NoGradGuard no_grad;
  const at::Tensor logits = trainer.classifier()->forward(normalised(test.images, at::kFloat), {}).logits;
  return logits.argmax(1).ne(test.labels).to(at::kDouble).mean().item<double>();
}

const std::map<std::string, Case> kCases{
    {"fr-gan", {200, {}}},
    {"mean-teacher",
     {400,
      {{"network", "table1"},
       {"learning-rate", 1e-2},
       {"average-shape", "fixed"},
       {"average-decay", 0.9},
       {"consistency-weight", 3.0},
       {"ramp-end", 0.5}}}},
    {"fixmatch",
     {200,
      {{"network", "table1"},
       {"optimizer", "adam"},
       {"weight-decay", 0.0},
       {"decay-shape", "linear"},
       {"unlabeled-ratio", 3},
       {"threshold", 0.6}}}},
    {"m1m2",
     {800,
      {{"latent-size", 20}, {"class-latent-size", 10}, {"width", 0.25}, {"batch-size", 64}, {"alpha", 3.0}},
      0.5,
      "m1m2",  // the classifier on the labels alone
      {{"bound-weight", 0.0}}}}};

// Mean test errors over four seeds: one seed is not enough, because its result can depend on the last bits.
double mean_error(const std::string& name, const Case& chosen) {
  double sum = 0;
  for (const uint64_t seed : {1, 2, 3, 4}) sum += test_error(name, chosen, seed);
  return sum / 4;
}

TEST(ToyProblem, SemiSupervisedMethodsBeatSupervised) {
  std::string errors;
  for (const MethodInfo& info : all_methods()) {
    // Neither uses unlabeled images, or they train the last layer of published weights only.
    if (info.name == "supervised" || info.needs_encoder) continue;
    const std::string name(info.name);
    ASSERT_TRUE(kCases.contains(name)) << name << ": add it to kCases";
    const Case& chosen = kCases.at(name);
    Case baseline = chosen;
    baseline.settings.insert(baseline.settings.end(), chosen.of_baseline.begin(), chosen.of_baseline.end());
    const double supervised = mean_error(chosen.baseline, baseline), error = mean_error(name, chosen);
    EXPECT_LT(supervised, 0.5) << name;  // chance is 0.75
    EXPECT_LT(error, 0.9 * supervised) << name;
    errors += fmt::format("{} {:.3f}, supervised {:.3f}; ", name, error, supervised);
  }
  RecordProperty("test_errors", errors);
}

}  // namespace
}  // namespace frgan
