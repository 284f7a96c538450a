// Every part of a training step on each device there is, against the CPU's kernels or against what must hold anywhere.
#include "../devices.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "../methods/small_methods.h"
#include "frgan/classifier/classifier.h"
#include "frgan/data/augment.h"
#include "frgan/nn/activation.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

using Devices = OnDevice;

at::Tensor random_pictures(int64_t count, const PictureShape& shape) {
  return random_integers({count, shape.image_size, shape.image_size, shape.channels}, 0, 256, /*key=*/7, at::kCPU)
      .to(at::kByte);
}

TEST_P(Devices, RandomNumbersAreOfTheirKey) {
  const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(device);
  const at::Tensor uniform = random_uniform({100000}, -1, 1, 3, floats), normal = random_normal({100000}, 3, floats);
  const at::Tensor integers = random_integers({100000}, 0, 10, 3, device);
  EXPECT_TRUE(uniform.equal(random_uniform({100000}, -1, 1, 3, floats)));
  EXPECT_TRUE(normal.equal(random_normal({100000}, 3, floats)));
  EXPECT_TRUE(integers.equal(random_integers({100000}, 0, 10, 3, device)));
  EXPECT_FALSE(uniform.equal(random_uniform({100000}, -1, 1, 4, floats)));
  // Five standard deviations of the mean of 100,000.
  EXPECT_NEAR(uniform.mean().item<float>(), 0, 5 * std::sqrt(1.0 / 3 / 100000));
  EXPECT_NEAR(normal.mean().item<float>(), 0, 5 * std::sqrt(1.0 / 100000));
  EXPECT_NEAR(normal.square().mean().item<float>(), 1, 5 * std::sqrt(2.0 / 100000));
  EXPECT_NEAR(integers.to(at::kFloat).mean().item<float>(), 4.5, 5 * std::sqrt(8.25 / 100000));
}

TEST_P(Devices, PicturesMoveAsOnTheCpu) {
  const at::Tensor pictures = random_pictures(50, {32, 3, 10});
  const at::Tensor rows = random_integers({20}, 0, 50, /*key=*/1, at::kCPU);
  for (const Augmentation& augmentation : {Augmentation{}, Augmentation{.translate = 2, .flip = true}}) {
    const at::Tensor expected = augmented(pictures, rows, augmentation, 5, at::kFloat);
    const at::Tensor found = augmented(pictures.to(device), rows.to(device), augmentation, 5, at::kFloat);
    EXPECT_TRUE(close_to(found, expected, 1e-6));
    EXPECT_EQ(found.strides(), expected.strides());  // channels last
  }
}

TEST_P(Devices, DropoutKeepsTheMeanAndDropsTheGradientToo) {
  constexpr double kDropped = 0.3;
  const at::Tensor x = at::ones({64, 32, 8, 8}, at::TensorOptions(device).memory_format(at::MemoryFormat::ChannelsLast))
                           .requires_grad_(true);
  const at::Tensor y = frgan::dropout(x, kDropped, /*key=*/9);
  EXPECT_TRUE(y.equal(frgan::dropout(x, kDropped, 9)));
  EXPECT_FALSE(y.equal(frgan::dropout(x, kDropped, 10)));
  const double count = static_cast<double>(x.numel());
  EXPECT_NEAR(y.eq(0).to(at::kFloat).mean().item<float>(), kDropped, 5 * std::sqrt(kDropped * (1 - kDropped) / count));
  y.sum().backward();
  EXPECT_TRUE(close_to(x.grad(), y.cpu(), 1e-6));
}

TEST_P(Devices, PicturesAreClassifiedAsOnTheCpu) {
  DiscriminatorOptions options;
  options.width = 0.25;
  const PictureShape shape{32, 3, 10};
  const at::Tensor pictures = random_pictures(300, shape);
  Discriminator network(options, shape, 1);
  const at::Tensor expected = classify(network, pictures, Precision::kFull).logits;
  network->to(device);
  EXPECT_TRUE(close_to(classify(network, pictures, Precision::kFull).logits, expected, 1e-4));
  EXPECT_TRUE(close_to(classify(network, pictures, Precision::kBf16).logits, expected, 5e-2));
}

// As a user trains: float with bf16 convolutions, dropout, a data-dependent start.
TEST_P(Devices, AStepLeavesFiniteLossesAndWeights) {
  for (const Precision precision : {Precision::kFull, Precision::kBf16}) {
    for (const std::string name : {"fr-gan", "fr-gan-fm", "supervised"}) {
      const bool matching = name == "fr-gan-fm";
      const Problem problem{.shape = {.image_size = 32, .channels = 3, .classes = 10},
                            .seed = 1,
                            .precision = precision,
                            .device = device};
      const Settings settings{{"gen-loss", matching ? "feature_matching" : "nonsaturating"}};
      const auto method = small_method(matching ? "fr-gan" : name, settings, problem);
      Trainer trainer(*method, problem, RandomBatches{problem, "symmetric"}, 10);
      trainer.initialize();
      for (int64_t step = 0; step < 10; ++step) trainer.step();
      EXPECT_FALSE(trainer.first_non_finite()) << name;
      EXPECT_FALSE(trainer.first_non_finite_tensor()) << name;
      for (const auto& [term, value] : trainer.take_losses()) EXPECT_LT(std::abs(value), 50) << name << ' ' << term;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(On, Devices, testing::ValuesIn(devices()), device_label);

}  // namespace
}  // namespace frgan
