// Ten discriminator updates without dropout, compared with plain PyTorch: losses, weights, moments, averages and
// running statistics.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "../devices.h"
#include "../golden/golden_networks.h"
#include "../methods/small_methods.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

constexpr int64_t kUpdates = 10;
constexpr double kTolerance = 1e-9;

// Images and noise of step `draw`, from the golden file training_inputs.
Batch golden_batch(const GoldenFile& inputs, at::Device device, const BatchRequest& request, uint64_t draw,
                   uint64_t part) {
  const auto step = static_cast<int64_t>(draw);
  const auto images = [&](const std::string& name) {
    return (inputs[name][step].to(device, at::kDouble) / 127.5 - 1).contiguous(at::MemoryFormat::ChannelsLast);
  };
  Batch batch;
  for (const Draw& wanted : request.draws) {
    std::vector<std::string> views{"unlabeled_branch1", "unlabeled_branch2"};
    if (wanted.pool == Pool::kLabeled) views = {"labeled"};
    if (wanted.order == 1) views = {"unlabeled_generator"};
    DrawnImages& drawn = batch.draws.emplace_back();
    drawn.pool = wanted.pool;
    if (wanted.pool == Pool::kLabeled) drawn.labels = inputs["labels"][step].to(device);
    for (size_t i = 0; i < wanted.views.size(); ++i) drawn.views.push_back(images(views.at(i)));
  }
  if (request.noise.count > 0)
    batch.noise = inputs[part == 0 ? "noise_discriminator" : "noise_generator"][step].to(device);
  return batch;
}

// The name in golden files: "discriminator.conv1.direction" -> "d.conv1.v".
std::string golden_path(const std::string& name) {
  const size_t dot = name.find('.');
  return name.substr(0, 1) + "." + golden_name(name.substr(dot + 1));
}

// Trains `kUpdates` discriminator updates, `k` per step, and compares the result with the golden file.
void expect_golden_training(at::Device device, const std::string& method_name, const std::string& file,
                            const Settings& more, const std::map<std::string, std::string>& terms, int64_t k = 1) {
  const int64_t steps = kUpdates / k;
  const GoldenFile inputs("training_inputs"), golden("training_" + file);
  const Problem problem{
      .shape = {.image_size = 16, .channels = 1, .classes = 10}, .dtype = at::kDouble, .device = device};
  Settings settings{{"width", 1.0 / 32}, {"input-dropout", 0.0},  {"block-dropout", 0.0},  {"ramp-start", 0.05},
                    {"ramp-end", 0.6},   {"learning-rate", 3e-4}, {"decay-start", 2.0 / 3}};
  settings.insert(settings.end(), more.begin(), more.end());
  const auto method = small_method(method_name, settings, problem);
  Trainer trainer(
      *method, problem,
      [&](const BatchRequest& request, uint64_t draw, uint64_t part) {
        return golden_batch(inputs, device, request, draw, part);
      },
      steps);

  TensorFiles state = trainer.state();  // views
  for (const auto& [name, tensor] : state.at("model")) tensor.copy_(inputs["initial." + golden_path(name)]);
  for (const auto& [name, tensor] : state.at("average")) tensor.copy_(inputs["initial.d." + golden_name(name)]);

  std::map<std::string, std::vector<double>> losses;
  for (int64_t step = 0; step < steps; ++step) {
    if (k == 1) {
      EXPECT_NEAR(trainer.scheduled("learning_rate", trainer.progress()), inputs["learning_rate"][step].item<double>(),
                  1e-15);
    }
    trainer.step();
    for (const auto& [name, value] : trainer.take_losses()) losses[name].push_back(value);
  }
  ASSERT_EQ(losses.size(), terms.size());
  for (const auto& [ours, theirs] : terms) {
    at::Tensor expected = golden["loss." + theirs];
    if (expected.numel() > steps)
      expected = expected.view({steps, k}).mean(1);  // the log has the mean of the k updates
    EXPECT_TRUE(close_to(at::tensor(losses[ours], at::kDouble), expected, kTolerance)) << ours;
  }
  for (const auto& [name, tensor] : state.at("model")) {
    EXPECT_TRUE(close_to(tensor, golden["final." + golden_path(name)], kTolerance)) << name;
  }
  for (const auto& [name, tensor] : state.at("average")) {
    EXPECT_TRUE(close_to(tensor, golden["average.d." + golden_name(name)], kTolerance)) << name;
  }
  for (const auto& [name, tensor] : state.at("optimizer")) {
    const size_t last = name.rfind('.');
    const std::string moment = name.substr(last) == ".mean" ? "adam_m." : "adam_v.";
    EXPECT_TRUE(close_to(tensor, golden[moment + golden_path(name.substr(0, last))], kTolerance)) << name;
  }
}

const std::map<std::string, std::string> kDiscriminatorTerms{{"supervised", "discriminator.supervised"},
                                                             {"real", "discriminator.adversarial_real"},
                                                             {"fake", "discriminator.adversarial_fake"},
                                                             {"consistency", "discriminator.consistency"}};

using GoldenTraining = OnDevice;

TEST_P(GoldenTraining, FrGan) {
  auto terms = kDiscriminatorTerms;
  terms["generator"] = "generator.nonsaturating";
  expect_golden_training(device, "fr-gan", "fr-gan", {}, terms);
}

TEST_P(GoldenTraining, FrGanWithTwoDiscriminatorSteps) {
  auto terms = kDiscriminatorTerms;
  terms["generator"] = "generator.nonsaturating";
  expect_golden_training(device, "fr-gan", "fr-gan-k2", {{"disc-steps", 2}}, terms, /*k=*/2);
}

TEST_P(GoldenTraining, FrGanWithFeatureMatching) {
  auto terms = kDiscriminatorTerms;
  terms["feature_matching"] = "generator.feature_matching";
  expect_golden_training(device, "fr-gan", "fr-gan-fm", {{"gen-loss", "feature_matching"}}, terms);
}

TEST_P(GoldenTraining, Supervised) {
  expect_golden_training(device, "supervised", "supervised", {}, {{"supervised", "discriminator.supervised"}});
}

INSTANTIATE_TEST_SUITE_P(On, GoldenTraining, testing::ValuesIn(devices()), device_label);

}  // namespace
}  // namespace frgan
