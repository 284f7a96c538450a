// Both networks of Table 1: shapes, parameter counts, golden values, dropout and data-dependent initialization.
#include "frgan/nn/networks.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_networks.h"
#include "bf16_error.h"
#include "frgan/device/random.h"
#include "frgan/nn/activation.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/generator.h"
#include "test_tensors.h"

namespace frgan {
namespace {

constexpr double kNetworkTolerance = 1e-11;

at::Tensor images(const ImageShape& shape, int64_t count, uint64_t key, at::ScalarType type = at::kFloat) {
  return channels_last(random_tensor({count, shape.channels, shape.image_size, shape.image_size}, key, type));
}

std::shared_ptr<Discriminator> make_discriminator(const NetworkOptions& options, const ImageShape& shape,
                                                  at::ScalarType type = at::kFloat, uint64_t seed = 1) {
  const auto network = std::make_shared<Discriminator>(options, shape, seed);
  network->to(type);
  return network;
}

GeneratorPtr make_generator(const GeneratorOptions& options, const ImageShape& shape, double width,
                            at::ScalarType type = at::kFloat, uint64_t seed = 1) {
  const auto network = std::make_shared<Generator>(options, shape, width, WeightInit::kXavier, seed);
  network->to(type);
  return network;
}

int64_t trained_values(const torch::nn::Module& network) {
  int64_t count = 0;
  for (const at::Tensor& parameter : network.parameters()) count += parameter.numel();
  return count;
}

// ---- The last layer of every network

NetworkPtr small_network(const NetworkInfo& info, const NetworkOptions& more = {}) {
  NetworkOptions options = more;
  options.network = info.name;
  options.width = 1.0 / 16;
  return create_network(options, {std::max<int64_t>(16, info.smallest_image), 3, 5}, 1);
}

TEST(Networks, FeaturesPassOnlyTheLastLayer) {
  const torch::NoGradGuard no_grad;
  for (const NetworkInfo& info : all_networks()) {
    const NetworkPtr network = small_network(info);
    const Classified all = network->forward(images(network->shape(), 2, 3), {});
    const Classified last = network->forward(all.features, {});
    EXPECT_TRUE(last.logits.equal(all.logits)) << info.name;
    EXPECT_TRUE(last.features.equal(all.features)) << info.name;
  }
}

TEST(Networks, TheLastLayerCanBeSet) {
  const torch::NoGradGuard no_grad;
  for (const NetworkInfo& info : all_networks()) {
    for (const bool fake_class : {false, true}) {
      const NetworkPtr network = small_network(info, {.explicit_fake_class = fake_class});
      const at::Tensor weight = random_tensor({5, network->feature_size()}, 4, at::kFloat);
      const at::Tensor bias = random_tensor({5}, 5, at::kFloat);
      set_last_layer(*network, weight, bias);
      const Classified out = network->forward(images(network->shape(), 2, 3), {});
      const at::Tensor expected = out.features.matmul(weight.t()) + bias;
      EXPECT_TRUE(out.logits.narrow(1, 0, 5).allclose(expected, 1e-4, 1e-4)) << info.name;
    }
  }
}

TEST(Networks, OnlyTheLastLayerStaysTrainable) {
  for (const NetworkInfo& info : all_networks()) {
    const NetworkPtr network = small_network(info);
    freeze_all_but_last_layer(*network);
    for (const auto& item : network->named_parameters()) {
      EXPECT_EQ(item.value().requires_grad(), item.key().starts_with(network->layers().back().name + "."))
          << info.name << ' ' << item.key();
    }
  }
}

// ---- Table 1

TEST(Networks, DiscriminatorHasTheLayersOfTable1) {
  const auto network = std::make_shared<Discriminator>(NetworkOptions{}, ImageShape{}, 1);
  struct Row {
    int64_t out, in, kernel, stride, padding;
  };
  const std::vector<Row> rows{{64, 3, 3, 1, 1},    {64, 64, 3, 1, 1},   {64, 64, 3, 2, 1},
                              {128, 64, 3, 1, 1},  {128, 128, 3, 1, 1}, {128, 128, 3, 2, 1},
                              {256, 128, 3, 1, 0}, {128, 256, 1, 1, 0}, {128, 128, 1, 1, 0}};
  ASSERT_EQ(network->convolutions().size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const auto& layer = network->convolutions()[i];
    EXPECT_EQ(layer->direction.sizes(), (at::IntArrayRef{row.out, row.in, row.kernel, row.kernel})) << i;
    EXPECT_EQ(layer->gain.sizes(), (at::IntArrayRef{row.out})) << i;
    EXPECT_EQ(layer->bias.sizes(), (at::IntArrayRef{row.out})) << i;
    EXPECT_EQ(layer->options().stride, row.stride) << i;
    EXPECT_EQ(layer->options().padding, row.padding) << i;
  }
  const auto parameters = network->named_parameters();
  EXPECT_EQ(parameters["se_block2.squeeze_weight"].sizes(), (at::IntArrayRef{8, 128}));
  EXPECT_EQ(parameters["se_block2.excite_weight"].sizes(), (at::IntArrayRef{128, 8}));
  EXPECT_EQ(parameters["dense.direction"].sizes(), (at::IntArrayRef{10, 128}));
}

TEST(Networks, GeneratorHasTheLayersOfTable1) {
  const auto network = std::make_shared<Generator>(GeneratorOptions{}, ImageShape{}, 1.0, WeightInit::kXavier, 1);
  const auto parameters = network->named_parameters();
  EXPECT_EQ(parameters["dense_weight"].sizes(), (at::IntArrayRef{8192, 100}));
  EXPECT_EQ(parameters["norm0.weight"].sizes(), (at::IntArrayRef{8192}));
  EXPECT_EQ(parameters["deconv1_weight"].sizes(), (at::IntArrayRef{512, 256, 5, 5}));
  EXPECT_EQ(parameters["norm1.weight"].sizes(), (at::IntArrayRef{256}));
  EXPECT_EQ(parameters["deconv2_weight"].sizes(), (at::IntArrayRef{256, 128, 5, 5}));
  EXPECT_EQ(parameters["norm2.weight"].sizes(), (at::IntArrayRef{128}));
  EXPECT_EQ(parameters["deconv3.direction"].sizes(), (at::IntArrayRef{128, 3, 5, 5}));
}

TEST(Networks, ParameterCountsMatchTable1) {
  // Discriminator: 789,440 weights, gain and bias of 1,098 units, and 2 * 128 * 8 weights of squeeze-and-excitation.
  const int64_t with_squeeze = trained_values(Discriminator(NetworkOptions{}, ImageShape{}, 1));
  NetworkOptions without;
  without.se_position = SePosition::kNone;
  const int64_t plain = trained_values(Discriminator(without, ImageShape{}, 1));
  EXPECT_EQ(plain, 789'440 + 2 * 1'098);
  EXPECT_EQ(with_squeeze - plain, 2'048);
  // Generator: 4,924,800 weights, gain and bias of 8,576 batch-norm units, and gain and bias of 3 image channels.
  const int64_t generator = trained_values(Generator(GeneratorOptions{}, ImageShape{}, 1.0, WeightInit::kXavier, 1));
  EXPECT_EQ(generator, 4'924'800 + 2 * 8'576 + 2 * 3);
}

// ---- Shapes

TEST(Networks, SupportEverySizeChannelAndClassCount) {
  struct Case {
    ImageShape shape;
    double width;
    Pooling pooling = Pooling::kStride;
  };
  for (const Case& c : std::vector<Case>{{{16, 1, 2}, 1.0 / 16},
                                         {{16, 3, 1000}, 1.0 / 64},
                                         {{24, 3, 10}, 1.0 / 16},
                                         {{32, 3, 10}, 0.25},
                                         {{32, 1, 10}, 1.0 / 64, Pooling::kMax},
                                         {{40, 1, 3}, 1.0 / 32, Pooling::kMax},
                                         {{64, 3, 100}, 1.0 / 32},
                                         {{128, 1, 5}, 1.0 / 64},
                                         {{128, 3, 5}, 1.0 / 64, Pooling::kMax}}) {
    SCOPED_TRACE(::testing::Message() << c.shape.image_size << 'x' << c.shape.channels << " in " << c.shape.classes);
    NetworkOptions options;
    options.width = c.width;
    options.pooling = c.pooling;
    const auto discriminator = std::make_shared<Discriminator>(options, c.shape, 1);
    const auto generator = std::make_shared<Generator>(GeneratorOptions{}, c.shape, c.width, WeightInit::kXavier, 1);
    const at::Tensor noise = random_tensor({2, 100}, 1);
    const at::Tensor generated = generator->forward(noise, {.initialize = true, .statistics = BatchStatistics::kBatch});
    EXPECT_EQ(generated.sizes(), images(c.shape, 2, 1).sizes());
    EXPECT_LE(generated.abs().max().item<float>(), 1);
    const Classified out =
        discriminator->forward(generated, {.stochastic = true, .dropout_key = 1, .initialize = true});
    const auto features = std::lround(128 * c.width);
    EXPECT_EQ(out.logits.sizes(), (at::IntArrayRef{2, c.shape.classes}));
    EXPECT_EQ(out.features.sizes(), (at::IntArrayRef{2, features}));
    EXPECT_TRUE(at::isfinite(out.logits).all().item<bool>());
    out.logits.square().sum().backward();
    for (const auto& item : generator->named_parameters()) {
      EXPECT_TRUE(at::isfinite(item.value().grad()).all().item<bool>()) << item.key();
    }
  }
}

TEST(Networks, ExplicitFakeClassAddsALogit) {
  NetworkOptions options;
  options.width = 1.0 / 64;
  options.explicit_fake_class = true;
  const auto network = std::make_shared<Discriminator>(options, ImageShape{16, 1, 7}, 1);
  EXPECT_EQ(network->forward(images({16, 1, 7}, 2, 1), {}).logits.size(1), 8);
}

// The hidden layer of squeeze-and-excitation has C / r units, at least --se-min-hidden.
TEST(Networks, SqueezeUnitsHaveAMinimum) {
  EXPECT_EQ(squeeze_units({}, 128), 8);
  EXPECT_EQ(squeeze_units({}, 8), 1);
  EXPECT_EQ(squeeze_units({.se_reduction = 4, .se_min_hidden = 8}, 128), 32);
  const NetworkOptions options{.width = 1.0 / 16, .se_min_hidden = 6};
  const auto network = std::make_shared<Discriminator>(options, ImageShape{16, 1, 3}, 1);
  const auto parameters = network->named_parameters();
  EXPECT_EQ(parameters["se_block2.squeeze_weight"].sizes(), (at::IntArrayRef{6, 8}));
  EXPECT_EQ(parameters["se_block2.excite_weight"].sizes(), (at::IntArrayRef{8, 6}));
  // The other layers start from the same weights.
  const auto plain = std::make_shared<Discriminator>(NetworkOptions{.width = 1.0 / 16}, ImageShape{16, 1, 3}, 1);
  for (const auto& item : plain->named_parameters()) {
    if (item.key().starts_with("se_")) continue;
    EXPECT_TRUE(item.value().equal(parameters[item.key()])) << item.key();
  }
}

TEST(Networks, InitialWeightsDependOnTheSeedOnly) {
  NetworkOptions options;
  options.width = 1.0 / 16;
  const ImageShape shape{16, 1, 3};
  const auto equal = [](const torch::nn::Module& one, const torch::nn::Module& other) {
    const NamedTensors a = named_tensors(one), b = named_tensors(other);
    bool same = true;
    for (const auto& [name, tensor] : a) same = same && tensor.equal(b.at(name));
    return same;
  };
  EXPECT_TRUE(equal(*make_discriminator(options, shape), *make_discriminator(options, shape)));
  EXPECT_FALSE(equal(*make_discriminator(options, shape), *make_discriminator(options, shape, at::kFloat, 2)));
  EXPECT_TRUE(equal(*make_generator({}, shape, 0.1), *make_generator({}, shape, 0.1)));
  EXPECT_FALSE(equal(*make_generator({}, shape, 0.1), *make_generator({}, shape, 0.1, at::kFloat, 2)));
}

// ---- bfloat16 (bf16_error.h derives the bounds). The networks are not initialized from data: their biases are 0 and
// their gains 1, as the derivation requires.

// Relative variance of the features, in units of rho^2.
double discriminator_variance(const Discriminator& network) {
  double variance = 0;
  for (const auto& layer : network.convolutions()) {
    variance += bf16_variance(static_cast<double>(layer->direction[0].numel()));
  }
  return variance + bf16_variance(0);  // squeeze-and-excitation rounds the gate and the product
}

TEST(Networks, Bf16DiscriminatorIsWithinTheRoundingError) {
  for (const int64_t channels : {1, 3}) {
    const ImageShape shape{16, channels, 10};
    const auto network = make_discriminator({.width = 0.125}, shape);
    const at::Tensor x = images(shape, 8, 1);
    const torch::NoGradGuard no_grad;
    const Classified fp32 = network->forward(x, {}), bf16 = network->forward(x, {.precision = Precision::kBf16});
    EXPECT_EQ(bf16.logits.scalar_type(), at::kFloat);
    EXPECT_EQ(bf16.features.scalar_type(), at::kFloat);
    const double bound = bf16_bound(discriminator_variance(*network));  // 0.017 with sums in float, else 0.06
    EXPECT_LT(bound, 0.07);
    EXPECT_LT(relative_error(bf16.features, fp32.features), bound);
    EXPECT_LT(relative_error(bf16.logits, fp32.logits), bound);
    EXPECT_GT(relative_error(bf16.features, fp32.features), 0) << "must compute in bf16";
    // Without biases, the features are proportional to the gain of the last layer: this network is wrong by 20 %.
    network->convolutions().back()->gain.mul_(1.2);
    const Classified wrong = network->forward(x, {.precision = Precision::kBf16});
    EXPECT_GT(relative_error(wrong.features, fp32.features), bound);
    EXPECT_GT(relative_error(wrong.logits, fp32.logits), bound);
  }
}

// With slope 1 the network is linear. Otherwise a rounding error that changes the sign of a pre-activation changes the
// gradient by far more than the error itself. Three rounding errors add up in the gradient of layer l:
// - of its input, from the layers before;
// - of its output's gradient, from the layers after, which sum `out` x k x k products per pixel;
// - of its own sum over all pixels of all images.
TEST(Networks, Bf16GradientsOfTheDiscriminatorAreWithinTheRoundingError) {
  constexpr int64_t kImages = 2;
  for (const int64_t channels : {1, 3}) {
    const ImageShape shape{16, channels, 10};
    const auto network = make_discriminator({.width = 0.125, .se_position = SePosition::kNone, .slope = 1}, shape);
    const at::Tensor x = images(shape, kImages, 1), dy = random_tensor({kImages, 10}, 2);
    const auto gradients = [&](Precision precision) {
      network->zero_grad();
      (network->forward(x, {.precision = precision}).logits * dy).sum().backward();
      std::vector<at::Tensor> found;
      for (const auto& layer : network->convolutions()) {
        EXPECT_EQ(layer->direction.grad().scalar_type(), at::kFloat);
        found.push_back(layer->direction.grad().clone());
      }
      return found;
    };
    const std::vector<at::Tensor> fp32 = gradients(Precision::kFull), bf16 = gradients(Precision::kBf16);
    // With the gain of the last layer wrong by 25 %, so are the gradients of all layers.
    network->convolutions().back()->gain.data().mul_(1.25);
    const std::vector<at::Tensor> wrong = gradients(Precision::kBf16);
    double before = 0, after = 0;
    for (const auto& layer : network->convolutions()) {
      after += bf16_variance(static_cast<double>(layer->direction.select(1, 0).numel()));
    }
    int64_t size = shape.image_size;
    for (size_t i = 0; i < fp32.size(); ++i) {
      const WeightNormConv2dImpl::Options& layer = network->convolutions()[i]->options();
      size = (size + 2 * layer.padding - layer.kernel) / layer.stride + 1;
      after -= bf16_variance(static_cast<double>(layer.out * layer.kernel * layer.kernel));
      const double own = bf16_variance(static_cast<double>(kImages * size * size));
      const double bound = 1.5 * bf16_bound(before + own + after);  // 1.5 more: few images, correlated terms
      EXPECT_LT(bound, 0.13) << i;                                  // 0.03 with sums in float
      EXPECT_LT(relative_error(bf16[i], fp32[i]), bound) << i;
      EXPECT_GT(relative_error(wrong[i], fp32[i]), bound) << i;
      before += bf16_variance(static_cast<double>(layer.in * layer.kernel * layer.kernel));
    }
  }
}

// Batch norm after a layer with a ReLU before it removes the mean, a share of 1/pi of the signal's power, but not the
// error: the variance grows by the factor 1 / (1 - 1/pi). Output and gradient of the last layer do not depend on the
// sign changes that dominate the other gradients (see above), which therefore are only checked for the right type.
TEST(Networks, Bf16GeneratorIsWithinTheRoundingError) {
  constexpr int64_t kCount = 8, kNoise = 16;
  for (const int64_t channels : {1, 3}) {
    const ImageShape shape{16, channels, 10};
    const auto network = make_generator({.noise_size = kNoise, .gen_width = 64}, shape, 0.125);
    const at::Tensor z = random_tensor({kCount, kNoise}, 2);
    const at::Tensor dy = random_tensor({kCount, channels, 16, 16}, 3);
    const auto run = [&](Precision precision) {
      network->zero_grad();
      const at::Tensor y = network->forward(z, {.precision = precision, .statistics = BatchStatistics::kBatch});
      (y * dy).sum().backward();
      return std::pair{y.detach(), network->named_parameters()["deconv3.direction"].grad().clone()};
    };
    const auto fp32 = run(Precision::kFull), bf16 = run(Precision::kBf16);
    EXPECT_EQ(bf16.first.scalar_type(), at::kFloat);
    for (const auto& item : network->named_parameters()) {
      EXPECT_EQ(item.value().grad().scalar_type(), at::kFloat) << item.key();
      EXPECT_GT(item.value().grad().abs().max().item<float>(), 0) << item.key();
    }
    // An output pixel of a transposed convolution has 25 / 4 products per input channel.
    const auto deconvolution = [](const at::Tensor& weight) {
      return bf16_variance(static_cast<double>(weight.size(0)) * 25 / 4);
    };
    const double growth = 1 / (1 - 1 / M_PI);
    double variance = bf16_variance(kNoise);
    variance = growth * (variance + deconvolution(network->named_parameters()["deconv1_weight"]));
    variance = growth * (variance + deconvolution(network->named_parameters()["deconv2_weight"]));
    const at::Tensor last = network->named_parameters()["deconv3.direction"];
    const double bound = bf16_bound(variance + deconvolution(last));  // 0.015 with sums in float, else 0.034
    const double gradient_bound = bf16_bound(variance + bf16_variance(0) + bf16_variance(kCount * 8 * 8));
    EXPECT_LT(bound, 0.04);
    EXPECT_LT(gradient_bound, 0.08);
    EXPECT_LT(relative_error(bf16.first, fp32.first), bound);
    EXPECT_LT(relative_error(bf16.second, fp32.second), gradient_bound);
    EXPECT_GT(relative_error(bf16.first, fp32.first), 0) << "must compute in bf16";
    // A wrong network: 20 % on one of the gains of batch norm.
    network->named_parameters()["norm2.weight"].data().mul_(1.2);
    const auto wrong = run(Precision::kBf16);
    EXPECT_GT(relative_error(wrong.first, fp32.first), bound);
    EXPECT_GT(relative_error(wrong.second, fp32.second), gradient_bound);
  }
}

// ---- Golden values

TEST(GoldenNetworks, Discriminator) {
  const std::map<std::string, ImageShape> cases{{"discriminator_16x1_k3", {16, 1, 3}},
                                                {"discriminator_32x3_k10", {32, 3, 10}}};
  for (const auto& [name, shape] : cases) {
    SCOPED_TRACE(name);
    const GoldenFile golden(name);
    NetworkOptions options;
    options.width = 1.0 / 16;
    const auto network = make_discriminator(options, shape, at::kDouble);
    copy_golden(*network, golden, "d.");
    const at::Tensor x = channels_last(golden["x"]).requires_grad_();
    const Classified out = network->forward(x, {});
    EXPECT_TRUE(close_to(out.logits, golden["logits"], kNetworkTolerance));
    EXPECT_TRUE(close_to(out.features, golden["features"], kNetworkTolerance));
    ((out.logits * golden["dlogits"]).sum() + (out.features * golden["dfeatures"]).sum()).backward();
    EXPECT_TRUE(close_to(x.grad(), golden["gradient.x"], kNetworkTolerance));
    for (const auto& item : network->named_parameters()) {
      EXPECT_TRUE(close_to(item.value().grad(), golden["gradient.d." + golden_name(item.key())], kNetworkTolerance))
          << item.key();
    }
  }
}

TEST(GoldenNetworks, DiscriminatorVariants) {
  const GoldenFile golden("discriminator_variants");
  // Names in the golden file.
  const std::map<std::string, NetworkOptions> variants{{"none", {.se_position = SePosition::kNone}},
                                                       {"block1", {.se_position = SePosition::kBlock1}},
                                                       {"block2", {.se_position = SePosition::kBlock2}},
                                                       {"after_conv256", {.se_position = SePosition::kAfterConv256}},
                                                       {"all", {.se_position = SePosition::kAll}},
                                                       {"bias", {.se_bias = true}},
                                                       {"max", {.pooling = Pooling::kMax}}};
  for (const auto& [variant, varied] : variants) {
    SCOPED_TRACE(variant);
    NetworkOptions options = varied;
    options.width = 1.0 / 16;
    const auto network = make_discriminator(options, {16, 1, 3}, at::kDouble);
    copy_golden(*network, golden, "d.");
    const Classified out = network->forward(channels_last(golden["x"]), {});
    EXPECT_TRUE(close_to(out.logits, golden[variant + ".logits"], kNetworkTolerance));
    EXPECT_TRUE(close_to(out.features, golden[variant + ".features"], kNetworkTolerance));
  }
}

// The other networks of the table, with running statistics and in a training pass.
TEST(GoldenNetworks, Table) {
  const std::map<std::string, NetworkOptions> cases{
      {"conv-large", {.network = "conv-large", .width = 1.0 / 32}},
      {"conv-large-bn", {.network = "conv-large", .width = 1.0 / 32, .conv_large_norm = ConvLargeNorm::kBatchNorm}},
      {"wrn-28-2", {.network = "wrn-28-2", .width = 1.0 / 16}},
      {"mlp", {.network = "mlp", .mlp_units = 16}}};
  const GoldenFile photo_networks("photo_networks");  // tests/nn/photo_networks_test.cpp
  for (const NetworkInfo& info : all_networks()) {
    const bool has_case = std::ranges::any_of(cases, [&](const auto& one) { return one.second.network == info.name; });
    const std::string name(info.name), last = create_network({.network = name}, ImageShape{}, 1)->layers().back().name;
    EXPECT_TRUE(has_case || info.name == "table1" || photo_networks.contains(name + "/" + last))
        << "add a golden file of " << info.name;
  }
  for (const auto& [name, options] : cases) {
    SCOPED_TRACE(name);
    const GoldenFile golden("network_" + name);
    const NetworkPtr network = create_network(options, {16, 1, 3}, 1);
    network->to(at::kDouble);
    for (const auto& [tensor_name, tensor] : named_tensors(*network)) tensor.copy_(golden["n." + tensor_name]);
    const at::Tensor x = channels_last(golden["x"]).requires_grad_();
    const Classified running = network->forward(x, {});
    EXPECT_TRUE(close_to(running.logits, golden["logits_running"], kNetworkTolerance));
    EXPECT_TRUE(close_to(running.features, golden["features_running"], kNetworkTolerance));
    const ForwardPass training{.statistics = BatchStatistics::kBatchAndTrack, .updates = at::full({}, 3, at::kDouble)};
    const Classified out = network->forward(x, training);
    EXPECT_TRUE(close_to(out.logits, golden["logits"], kNetworkTolerance));
    EXPECT_TRUE(close_to(out.features, golden["features"], kNetworkTolerance));
    ((out.logits * golden["dlogits"]).sum() + (out.features * golden["dfeatures"]).sum()).backward();
    EXPECT_TRUE(close_to(x.grad(), golden["gradient.x"], kNetworkTolerance));
    for (const auto& item : network->named_parameters()) {
      EXPECT_TRUE(close_to(item.value().grad(), golden["gradient.n." + item.key()], kNetworkTolerance)) << item.key();
    }
    for (const auto& item : network->named_buffers()) {
      EXPECT_TRUE(close_to(item.value(), golden["after.n." + item.key()], kNetworkTolerance)) << item.key();
    }
  }
}

TEST(GoldenNetworks, Generator) {
  struct Case {
    std::string name;
    ImageShape shape;
    double width;
  };
  for (const Case& c :
       std::vector<Case>{{"generator_16x1", {16, 1, 10}, 1.0 / 32}, {"generator_32x3", {32, 3, 10}, 1.0 / 64}}) {
    SCOPED_TRACE(c.name);
    const GoldenFile golden(c.name);
    const auto network = make_generator({.noise_size = 8}, c.shape, c.width, at::kDouble);
    copy_golden(*network, golden, "g.");
    const at::Tensor z = golden["z"].requires_grad_();
    const at::Tensor running = network->forward(z.narrow(0, 0, 1), {.statistics = BatchStatistics::kRunning});
    EXPECT_TRUE(close_to(running, golden["y_running"], kNetworkTolerance));
    EXPECT_TRUE(close_to(network->forward(z, {.statistics = BatchStatistics::kBatch}), golden["y"], kNetworkTolerance));
    const auto statistics_are = [&](const std::string& prefix) {
      for (const auto& item : network->named_buffers()) {
        EXPECT_TRUE(close_to(item.value(), golden[prefix + golden_name(item.key())], kNetworkTolerance)) << item.key();
      }
    };
    statistics_are("g.");  // neither pass updated them
    const at::Tensor y = network->forward(z, {.statistics = BatchStatistics::kBatchAndTrack});
    statistics_are("after.g.");
    EXPECT_TRUE(close_to(y, golden["y"], kNetworkTolerance));
    (y * golden["dy"]).sum().backward();
    EXPECT_TRUE(close_to(z.grad(), golden["gradient.z"], kNetworkTolerance));
    for (const auto& item : network->named_parameters()) {
      EXPECT_TRUE(close_to(item.value().grad(), golden["gradient.g." + golden_name(item.key())], kNetworkTolerance))
          << item.key();
    }
  }
}

TEST(GoldenNetworks, Initialization) {
  const GoldenFile golden("initialization");
  NetworkOptions options;
  options.width = 1.0 / 16;
  const auto d = make_discriminator(options, {16, 1, 10}, at::kDouble);
  const auto g = make_generator({.noise_size = 8}, {16, 1, 10}, 1.0 / 64, at::kDouble);
  copy_golden(*d, golden, "d.");
  copy_golden(*g, golden, "g.");
  const torch::NoGradGuard no_grad;
  const ForwardPass first{.initialize = true, .statistics = BatchStatistics::kBatch};
  EXPECT_TRUE(close_to(d->forward(channels_last(golden["x"]), first).logits, golden["logits"], kNetworkTolerance));
  EXPECT_TRUE(close_to(g->forward(golden["z"], first), golden["images"], kNetworkTolerance));
  int compared = 0;
  for (const auto& [prefix, network] :
       std::map<std::string, std::shared_ptr<torch::nn::Module>>{{"d.", d}, {"g.", g}}) {
    for (const auto& [name, tensor] : named_tensors(*network)) {
      const std::string name_in_file = prefix + golden_name(name);
      const bool set = golden.contains("after." + name_in_file);
      EXPECT_TRUE(close_to(tensor, golden[set ? "after." + name_in_file : name_in_file], kNetworkTolerance)) << name;
      compared += set;
    }
  }
  EXPECT_EQ(compared, 22);  // gains and biases of eleven layers
}

// ---- Dropout and initialization of the discriminator, compared with the same network built from LibTorch operators

// Intermediate results: the pre-activation of each convolution, the features and the logits.
struct Trace {
  std::vector<at::Tensor> hidden;
  at::Tensor features, logits;
};

// Table 1 with squeeze-and-excitation after block 2, layer by layer. The dropout layer number is 100 for the image,
// else the index of the preceding convolution. Changing these numbers changes the bits of every run.
Trace run_by_hand(const Discriminator& network, const NetworkOptions& options, at::Tensor x, const ForwardPass& pass) {
  const auto dropped = [&](const at::Tensor& input, double p, uint64_t layer) {
    return pass.stochastic ? frgan::dropout(input, p, random_key(pass.dropout_key, Stream::kDropout, layer)) : input;
  };
  Trace trace;
  x = dropped(x, options.input_dropout, 100);
  const auto modules = network.named_modules();
  for (size_t i = 0; i < network.convolutions().size(); ++i) {
    const auto& layer = network.convolutions()[i];
    x = at::conv2d(x, layer->weight(), layer->bias, layer->options().stride, layer->options().padding);
    trace.hidden.push_back(x);
    x = at::leaky_relu(x, options.slope);
    if (i == 5) x = modules["se_block2"]->as<SqueezeExcitationImpl>()->forward(x);
    if (i == 2 || i == 5) x = dropped(x, options.block_dropout, i);
  }
  trace.features = x.mean({2, 3});
  const auto* dense = modules["dense"]->as<WeightNormLinearImpl>();
  trace.logits = at::linear(trace.features, dense->weight(), dense->bias);
  return trace;
}

TEST(Networks, DropoutPositionsMatchTable1) {
  const ImageShape shape{16, 3, 5};
  NetworkOptions options;
  options.width = 1.0 / 16;
  options.input_dropout = 0.2;
  options.block_dropout = 0.4;
  const auto network = make_discriminator(options, shape, at::kDouble);
  const at::Tensor x = images(shape, 4, 1, at::kDouble);
  for (const ForwardPass& pass :
       std::vector<ForwardPass>{{}, {.stochastic = true, .dropout_key = 3}, {.stochastic = true, .dropout_key = 4}}) {
    const Trace expected = run_by_hand(*network, options, x, pass);
    const Classified found = network->forward(x, pass);
    EXPECT_TRUE(close_to(found.features, expected.features, kNetworkTolerance));
    EXPECT_TRUE(close_to(found.logits, expected.logits, kNetworkTolerance));
  }
}

TEST(Networks, DropoutDependsOnTheKeyAndIsOffInDeterministicPasses) {
  const ImageShape shape{16, 1, 5};
  const at::Tensor x = images(shape, 4, 1);
  // With pooling or squeeze-and-excitation, dropout is not fused with the activation, but must still be applied.
  for (const SePosition position : {SePosition::kNone, SePosition::kBlock2, SePosition::kAll}) {
    for (const Pooling pooling : {Pooling::kStride, Pooling::kMax}) {
      for (const bool input : {true, false}) {
        SCOPED_TRACE(testing::Message() << static_cast<int>(position) << ' ' << static_cast<int>(pooling)
                                        << (input ? " input" : " blocks"));
        NetworkOptions options;
        options.width = 0.25;
        options.se_position = position;
        options.pooling = pooling;
        options.input_dropout = input ? 0.3 : 0;
        options.block_dropout = input ? 0 : 0.3;
        const auto network = make_discriminator(options, shape);
        const auto logits = [&](const ForwardPass& pass) { return network->forward(x, pass).logits; };
        const at::Tensor one = logits({.stochastic = true, .dropout_key = 1});
        EXPECT_TRUE(one.equal(logits({.stochastic = true, .dropout_key = 1})));
        EXPECT_FALSE(one.equal(logits({.stochastic = true, .dropout_key = 2})));
        EXPECT_FALSE(one.equal(logits({})));
        EXPECT_TRUE(logits({.dropout_key = 1}).equal(logits({})));
      }
    }
  }
}

// A31, with dropout on as in a run. Over the initialization batch, hidden pre-activations have mean 0 and variance 1,
// and the logits have mean 0 and standard deviation 0.1.
TEST(Networks, InitializationNormalizesEveryLayerOfTheDiscriminator) {
  const ImageShape shape{16, 3, 5};
  NetworkOptions options;
  options.width = 0.125;
  const auto network = make_discriminator(options, shape, at::kDouble);
  const at::Tensor x = images(shape, 20, 1, at::kDouble) * 0.5 + 0.3;
  ForwardPass pass{.stochastic = true, .dropout_key = 3, .initialize = true};
  const torch::NoGradGuard no_grad;
  network->forward(x, pass);
  pass.initialize = false;
  const Trace trace = run_by_hand(*network, options, x, pass);
  ASSERT_EQ(trace.hidden.size(), 9U);
  for (size_t i = 0; i < trace.hidden.size(); ++i) {
    const at::Tensor& hidden = trace.hidden[i];
    EXPECT_LT(hidden.mean({0, 2, 3}).abs().max().item<double>(), 1e-10) << i;
    const at::Tensor variance = hidden.square().mean({0, 2, 3});
    EXPECT_TRUE(close_to(variance, at::ones_like(variance), 1e-9)) << i;
  }
  EXPECT_LT(trace.logits.mean(0).abs().max().item<double>(), 1e-10);
  const at::Tensor deviation = trace.logits.square().mean(0).sqrt();
  EXPECT_TRUE(close_to(deviation, at::full_like(deviation, 0.1), 1e-9));
}

TEST(Networks, InitializationNormalizesTheLastLayerOfTheGenerator) {
  const ImageShape shape{16, 3, 5};
  const auto network = make_generator({}, shape, 0.125, at::kDouble);
  const torch::NoGradGuard no_grad;
  const at::Tensor noise = random_tensor({30, 100}, 1, at::kDouble);
  network->forward(noise, {.initialize = true, .statistics = BatchStatistics::kBatch});
  const at::Tensor before_tanh = network->forward(noise, {.statistics = BatchStatistics::kBatch}).atanh();
  EXPECT_LT(before_tanh.mean({0, 2, 3}).abs().max().item<double>(), 1e-10);
  const at::Tensor deviation = before_tanh.square().mean({0, 2, 3}).sqrt();
  EXPECT_TRUE(close_to(deviation, at::full_like(deviation, 0.1), 1e-9));
}

// A34: both orders have the same parameters. Before its last layer, the network ends with ReLU in one order, with batch
// norm in the other. The reference repeats the layers with LibTorch's operators.
TEST(Networks, GeneratorOrderIsBatchNormAndReluOrTheReverse) {
  const ImageShape shape{16, 3, 5};
  const at::Tensor noise = random_tensor({6, 100}, 1, at::kDouble);
  std::vector<at::Tensor> images;
  for (const GeneratorOrder order : {GeneratorOrder::kBatchNormThenRelu, GeneratorOrder::kReluThenBatchNorm}) {
    const auto network = make_generator({.gen_order = order}, shape, 1.0 / 16, at::kDouble);
    const auto modules = network->named_modules();
    const auto activated = [&](const at::Tensor& x, const std::string& norm) {
      auto* const batch_norm = modules[norm]->as<BatchNormImpl>();
      if (order == GeneratorOrder::kReluThenBatchNorm)
        return batch_norm->forward(x.relu(), {.statistics = BatchStatistics::kBatch});
      return batch_norm->forward(x, {.statistics = BatchStatistics::kBatch}).relu();
    };
    const auto upsampled = [](const at::Tensor& x, const at::Tensor& weight) {
      return at::conv_transpose2d(x, weight, {}, /*stride=*/2, /*padding=*/2, /*output_padding=*/1);
    };
    at::Tensor x = activated(at::linear(noise, network->named_parameters()["dense_weight"]), "norm0");
    x = x.view({-1, network->named_parameters()["deconv1_weight"].size(0), 2, 2});
    x = activated(upsampled(x, network->named_parameters()["deconv1_weight"]), "norm1");
    x = activated(upsampled(x, network->named_parameters()["deconv2_weight"]), "norm2");
    auto* const last = modules["deconv3"]->as<WeightNormDeconv2dImpl>();
    const at::Tensor expected = at::tanh(upsampled(x, last->weight()) + last->bias.view({1, -1, 1, 1}));
    images.push_back(network->forward(noise, {.statistics = BatchStatistics::kBatch}));
    EXPECT_TRUE(close_to(images.back(), expected, kNetworkTolerance));
    images.back().square().sum().backward();
    for (const auto& item : network->named_parameters()) {
      EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
    }
  }
  EXPECT_FALSE(close_to(images[1], images[0], 1e-2));
}

TEST(Networks, RunningStatisticsMakeImagesIndependentOfTheBatch) {
  const ImageShape shape{16, 1, 5};
  const auto network = make_generator({}, shape, 0.125);
  const at::Tensor noise = random_tensor({6, 100}, 1);
  network->forward(noise, {.initialize = true, .statistics = BatchStatistics::kBatchAndTrack});
  const auto first_of = [&](const at::Tensor& z, BatchStatistics statistics) {
    return network->forward(z, {.statistics = statistics})[0];
  };
  EXPECT_TRUE(close_to(first_of(noise, BatchStatistics::kRunning),
                       first_of(noise.narrow(0, 0, 2), BatchStatistics::kRunning), 1e-5));
  EXPECT_FALSE(close_to(first_of(noise, BatchStatistics::kBatch),
                        first_of(noise.narrow(0, 0, 2), BatchStatistics::kBatch), 1e-2));
}

TEST(Networks, GenWidthSetsTheFirstFeatureMap) {
  const auto wide =
      std::make_shared<Generator>(GeneratorOptions{.gen_width = 1024}, ImageShape{}, 1.0 / 32, WeightInit::kXavier, 1);
  EXPECT_EQ(wide->named_parameters()["deconv1_weight"].sizes(), (at::IntArrayRef{32, 16, 5, 5}));
  EXPECT_EQ(wide->named_parameters()["dense_weight"].sizes(), (at::IntArrayRef{32 * 16, 100}));
  const auto normal = std::make_shared<Generator>(GeneratorOptions{}, ImageShape{}, 1.0 / 8, WeightInit::kNormal, 1);
  EXPECT_NEAR(normal->named_parameters()["deconv1_weight"].std().item<double>(), 0.05, 0.002);
}

}  // namespace
}  // namespace frgan
