// Parts of a training step that differ between devices, in float on each available device. Results are compared with
// double precision on the CPU, which uses other kernels, or checked for properties.
#include "../devices.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "../methods/small_methods.h"
#include "frgan/classifier/inference.h"
#include "frgan/data/augment.h"
#include "frgan/nn/activation.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/generator.h"
#include "frgan/nn/input_normalization.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

using Devices = OnDevice;

constexpr ImageShape kShape{.image_size = 32, .channels = 3, .classes = 10};

at::Tensor random_images(int64_t count) {
  return random_integers({count, kShape.image_size, kShape.image_size, kShape.channels}, 0, 256, /*key=*/7, at::kCPU)
      .to(at::kByte);
}

TEST_P(Devices, RandomNumbersDependOnTheKey) {
  const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(device);
  const at::Tensor uniform = random_uniform({100000}, -1, 1, 3, floats), normal = random_normal({100000}, 3, floats);
  const at::Tensor integers = random_integers({100000}, 0, 10, 3, device);
  EXPECT_TRUE(uniform.equal(random_uniform({100000}, -1, 1, 3, floats)));
  EXPECT_TRUE(normal.equal(random_normal({100000}, 3, floats)));
  EXPECT_TRUE(integers.equal(random_integers({100000}, 0, 10, 3, device)));
  EXPECT_FALSE(uniform.equal(random_uniform({100000}, -1, 1, 4, floats)));
  // The tolerance is five standard deviations of the mean of 100,000 numbers.
  EXPECT_NEAR(uniform.mean().item<float>(), 0, 5 * std::sqrt(1.0 / 3 / 100000));
  EXPECT_NEAR(normal.mean().item<float>(), 0, 5 * std::sqrt(1.0 / 100000));
  EXPECT_NEAR(normal.square().mean().item<float>(), 1, 5 * std::sqrt(2.0 / 100000));
  EXPECT_NEAR(integers.to(at::kFloat).mean().item<float>(), 4.5, 5 * std::sqrt(8.25 / 100000));
}

TEST_P(Devices, AugmentationEqualsTheCpu) {
  const at::Tensor images = random_images(50);
  const at::Tensor rows = random_integers({20}, 0, 50, /*key=*/1, at::kCPU);
  for (const Augmentation& augmentation : {Augmentation{}, Augmentation{.translate = 2, .flip = true}}) {
    const at::Tensor expected = augmented(images, rows, augmentation, 5, at::kDouble);
    const at::Tensor found = augmented(images.to(device), rows.to(device), augmentation, 5, at::kFloat);
    EXPECT_TRUE(close_to(found, expected, 1e-6));
    EXPECT_EQ(found.strides(), expected.strides());  // channels last
  }
}

// Shifts and operations arrive in one buffer; normalization by ZCA and its inverse.
TEST_P(Devices, StrongViewsAndWhiteningEqualTheCpu) {
  const at::Tensor images = random_images(50), rows = random_integers({20}, 0, 50, /*key=*/1, at::kCPU);
  const Augmentation strong = parse_augmentation({"translate:2", "randaugment:2", "cutout:0.5"});
  const at::Tensor expected = augmented(images, rows, strong, 5, at::kDouble);
  const at::Tensor found = augmented(images.to(device), rows.to(device), strong, 5, at::kFloat);
  EXPECT_TRUE(close_to(found, expected, 1e-6));
  InputNormalization whitening({.kind = InputNormalizationKind::kZca}, {.image_size = 16, .channels = 1});
  const at::Tensor gray = images.slice(1, 0, 16).slice(2, 0, 16).slice(3, 0, 1).contiguous();
  whitening.to(device);
  whitening.fit(gray, at::arange(50, at::kLong));
  const at::Tensor values = normalised(gray, at::kFloat).to(device);
  const at::Tensor whitened = whitening.forward(values, {});
  EXPECT_GT((whitened - values).abs().max().item<float>(), 0.1);
  EXPECT_TRUE(close_to(whitening.inverse()(whitened), values.cpu().to(at::kDouble), 1e-4));
}

TEST_P(Devices, DropoutKeepsTheMeanAndMasksTheGradient) {
  constexpr double kDropped = 0.3;
  const at::Tensor x = at::ones({64, 32, 8, 8}, at::TensorOptions(device).memory_format(at::MemoryFormat::ChannelsLast))
                           .requires_grad_(true);
  const at::Tensor y = frgan::dropout(x, kDropped, /*key=*/9);
  EXPECT_TRUE(y.equal(frgan::dropout(x, kDropped, 9)));
  EXPECT_FALSE(y.equal(frgan::dropout(x, kDropped, 10)));
  const double count = static_cast<double>(x.numel());
  EXPECT_NEAR(y.mean().item<float>(), 1, 5 * std::sqrt(kDropped / (1 - kDropped) / count));
  EXPECT_NEAR(y.eq(0).to(at::kFloat).mean().item<float>(), kDropped, 5 * std::sqrt(kDropped * (1 - kDropped) / count));
  y.sum().backward();
  EXPECT_TRUE(close_to(x.grad(), y.cpu(), 1e-6));
}

// Gradients of the mean square of the network's output, by parameter name.
template <class Network, class Output>
std::vector<std::pair<std::string, at::Tensor>> gradients(const std::shared_ptr<Network>& network,
                                                          const Output& output) {
  output(*network).square().mean().backward();
  std::vector<std::pair<std::string, at::Tensor>> found;
  for (const auto& item : network->named_parameters()) found.emplace_back(item.key(), item.value().grad());
  return found;
}

void expect_close(const std::vector<std::pair<std::string, at::Tensor>>& found,
                  const std::vector<std::pair<std::string, at::Tensor>>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(close_to(found[i].second, expected[i].second, 1e-3)) << expected[i].first;
  }
}

TEST_P(Devices, DiscriminatorGradientsEqualTheCpu) {
  NetworkOptions options;
  options.width = 0.25;
  const auto gradients_on = [&](at::Device where, at::ScalarType type) {
    const auto network = std::make_shared<Discriminator>(options, kShape, 1);
    network->to(where, type);
    const at::Tensor images = normalised(random_images(20).to(where), type);
    return gradients(network, [&](const Discriminator& d) { return d.forward(images, {}).logits; });
  };
  expect_close(gradients_on(device, at::kFloat), gradients_on(at::kCPU, at::kDouble));
}

TEST_P(Devices, GeneratorGradientsEqualTheCpu) {
  const GeneratorOptions options{.noise_size = 100, .gen_width = 64};
  const at::Tensor noise = random_uniform({20, options.noise_size}, -1, 1, 2, at::TensorOptions(at::kFloat));
  const auto gradients_on = [&](at::Device where, at::ScalarType type) {
    const auto network = std::make_shared<Generator>(options, kShape, 0.25, WeightInit::kXavier, 1);
    network->to(where, type);
    return gradients(network, [&](const Generator& g) {
      return g.forward(noise.to(where, type), {.statistics = BatchStatistics::kBatchAndTrack});
    });
  };
  expect_close(gradients_on(device, at::kFloat), gradients_on(at::kCPU, at::kDouble));
}

TEST_P(Devices, ClassificationEqualsTheCpu) {
  NetworkOptions options;
  options.width = 0.25;
  const at::Tensor images = random_images(300);
  const auto logits = [&](at::Device where, at::ScalarType type, Precision precision) {
    const auto network = std::make_shared<Discriminator>(options, kShape, 1);
    network->to(where, type);
    return classify(*network, images, precision).logits;
  };
  const at::Tensor expected = logits(at::kCPU, at::kDouble, Precision::kFull);
  EXPECT_TRUE(close_to(logits(device, at::kFloat, Precision::kFull), expected, 1e-4));
  EXPECT_TRUE(close_to(logits(device, at::kFloat, Precision::kBf16), expected, 5e-2));
}

// Default settings, and all stages: fp32 and bf16 convolutions, dropout, data-dependent initialization.
TEST_P(Devices, StepsKeepLossesAndWeightsFinite) {
  for (const Precision precision : {Precision::kFull, Precision::kBf16}) {
    std::vector<std::string> names{"fr-gan-fm"};
    for (const MethodInfo& info : all_methods()) names.emplace_back(info.name);
    for (const std::string& name : names) {
      const bool matching = name == "fr-gan-fm";
      const Problem problem{.shape = kShape, .seed = 1, .precision = precision, .device = device};
      const Settings settings{{"gen-loss", matching ? "feature_matching" : "nonsaturating"}};
      const auto method = small_method(matching ? "fr-gan" : name, settings, problem);
      Trainer trainer(*method, problem, RandomBatches{problem}, 10);
      trainer.initialize();
      for (int64_t step = 0; step < 10; ++step) trainer.step();
      EXPECT_FALSE(trainer.first_non_finite()) << name;
      EXPECT_FALSE(trainer.first_non_finite_tensor()) << name;
      for (const auto& [term, value] : trainer.take_losses())
        EXPECT_LT(std::abs(value), name == "m1m2" ? 10000 : 50) << name << ' ' << term;
    }
  }
}

TEST(Devices, IncludeAGpu) {
  if (gpu_count() == 0) GTEST_SKIP() << "no NVIDIA GPU: the suites On/... run on the CPU only";
}

INSTANTIATE_TEST_SUITE_P(On, Devices, testing::ValuesIn(devices()), device_label);

}  // namespace
}  // namespace frgan
