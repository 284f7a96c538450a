// Compares the layers of both networks with golden values from PyTorch and with LibTorch operators.
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "bf16_error.h"
#include "frgan/device/random.h"
#include "frgan/nn/activation.h"
#include "frgan/nn/generator.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/phase_convolution.h"
#include "frgan/nn/squeeze_excitation.h"
#include "frgan/nn/weight_norm.h"
#include "test_tensors.h"

namespace frgan {
namespace {

constexpr double kLayerTolerance = 1e-12;

WeightSource source(uint64_t seed = 1) {
  return {WeightInit::kXavier, seed, 0};
}

// Sets the parameters of the layer to those of case `name`, runs the layer on the input of the case, and compares the
// output and all gradients. `names` maps the layer's parameters and buffers to their names in the golden file.
void expect_golden(const std::string& name, torch::nn::Module& layer, const std::map<std::string, std::string>& names,
                   const std::function<at::Tensor(const at::Tensor&)>& run) {
  SCOPED_TRACE(name);
  const GoldenFile golden("layers");
  layer.to(at::kDouble);
  for (const auto& [ours, tensor] : named_tensors(layer)) tensor.copy_(golden[name + "." + names.at(ours)]);
  const at::Tensor given = golden[name + ".x"];
  const at::Tensor x = (given.dim() == 4 ? channels_last(given) : given).requires_grad_();
  const at::Tensor y = run(x);
  EXPECT_TRUE(close_to(y, golden[name + ".y"], kLayerTolerance));
  y.backward(golden[name + ".dy"]);
  EXPECT_TRUE(close_to(x.grad(), golden[name + ".dx"], kLayerTolerance));
  for (const auto& item : layer.named_parameters()) {
    EXPECT_TRUE(close_to(item.value().grad(), golden[name + ".d" + names.at(item.key())], kLayerTolerance))
        << item.key();
  }
}

const std::map<std::string, std::string> kWeightNormNames{{"direction", "v"}, {"gain", "g"}, {"bias", "b"}};

TEST(Layers, WeightNormConvolutionsMatchGoldenValues) {
  const std::map<std::string, WeightNormConv2dImpl::Options> cases{
      {"conv_same", {.in = 3, .out = 4}},
      {"conv_stride2", {.in = 3, .out = 4, .stride = 2}},
      {"conv_valid", {.in = 3, .out = 4, .padding = 0}},
      {"nin", {.in = 5, .out = 4, .kernel = 1, .padding = 0}}};
  for (const auto& [name, options] : cases) {
    WeightSource weights = source();
    WeightNormConv2d layer(options, weights);
    expect_golden(name, *layer, kWeightNormNames, [&](const at::Tensor& x) { return layer->forward(x, {}); });
  }
}

TEST(Layers, WeightNormDenseAndTransposedConvolutionMatchGoldenValues) {
  WeightSource weights = source();
  WeightNormLinear dense(6, 4, 0.1, true, weights);
  expect_golden("wn_dense", *dense, kWeightNormNames, [&](const at::Tensor& x) { return dense->forward(x, {}); });
  WeightNormDeconv2d deconv(4, 3, 0.1, true, weights);
  expect_golden("wn_deconv", *deconv, kWeightNormNames, [&](const at::Tensor& x) { return deconv->forward(x, {}); });
}

TEST(Layers, WeightNormGainIsTheNormOfEachUnit) {
  WeightSource weights = source();
  WeightNormDeconv2d layer(4, 3, 0.1, true, weights);
  layer->gain.data().copy_(at::tensor({0.5F, 2.0F, 3.0F}));
  const at::Tensor weight = layer->weight().detach();
  EXPECT_TRUE(close_to(weight.square().sum({0, 2, 3}).sqrt(), layer->gain, 1e-6));
  layer->direction.data().mul_(7);  // the weight does not depend on the length of the direction
  EXPECT_TRUE(close_to(layer->weight(), weight, 1e-6));
}

// A31: after initialization, each unit has mean 0 and the given standard deviation over the batch.
TEST(Layers, WeightNormInitializationNormalizesTheBatch) {
  WeightSource weights = source();
  for (const double deviation : {1.0, 0.1}) {
    WeightNormConv2d conv(WeightNormConv2dImpl::Options{.in = 3, .out = 5, .initial_std = deviation}, weights);
    WeightNormLinear dense(6, 4, deviation, true, weights);
    WeightNormDeconv2d deconv(4, 3, deviation, true, weights);
    for (torch::nn::Module* layer : std::vector<torch::nn::Module*>{conv.get(), dense.get(), deconv.get()}) {
      layer->to(at::kDouble);
    }
    const at::Tensor images = channels_last(random_tensor({6, 3, 5, 5}, 1, at::kDouble) * 3 + 2),
                     units = random_tensor({9, 6}, 2, at::kDouble) - 4;
    const at::Tensor maps = channels_last(random_tensor({6, 4, 3, 3}, 3, at::kDouble));
    const ForwardPass first{.initialize = true};
    const auto expect_normal = [&](const at::Tensor& y, std::vector<int64_t> dimensions) {
      EXPECT_LT(y.mean(dimensions).abs().max().item<double>(), 1e-12);
      const at::Tensor spread = y.square().mean(dimensions).sqrt();
      EXPECT_TRUE(close_to(spread, at::full_like(spread, deviation), 1e-10));
    };
    expect_normal(conv->forward(images, first), {0, 2, 3});
    expect_normal(dense->forward(units, first), {0});
    expect_normal(deconv->forward(maps, first), {0, 2, 3});
    // Other passes do not change gain and bias.
    const at::Tensor gain = dense->gain.clone();
    dense->forward(units * 5, {});
    EXPECT_TRUE(dense->gain.equal(gain));
  }
}

TEST(Layers, WeightNormInitializationHandlesConstantUnits) {
  WeightSource weights = source();
  WeightNormLinear layer(3, 2, 1, true, weights);
  layer->forward(at::ones({4, 3}), {.initialize = true});
  EXPECT_TRUE(at::isfinite(layer->gain).all().item<bool>());
  EXPECT_TRUE(at::isfinite(layer->forward(at::ones({4, 3}), {})).all().item<bool>());
}

TEST(Layers, WeightNormGainCanBeFixed) {
  WeightSource weights = source();
  WeightNormConv2d trained(WeightNormConv2dImpl::Options{.in = 1, .out = 2}, weights);
  WeightNormConv2d fixed(WeightNormConv2dImpl::Options{.in = 1, .out = 2, .train_gain = false}, weights);
  EXPECT_TRUE(trained->named_parameters().contains("gain"));
  EXPECT_FALSE(fixed->named_parameters().contains("gain"));
  EXPECT_TRUE(fixed->named_buffers().contains("gain"));
}

TEST(Layers, WeightNormComputesInBf16WithFloatGradients) {
  WeightSource weights = source();
  WeightNormConv2d layer(WeightNormConv2dImpl::Options{.in = 8, .out = 4}, weights);
  const at::Tensor x = channels_last(random_tensor({2, 8, 6, 6}, 1, at::kFloat));
  const at::Tensor fp32 = layer->forward(x, {}), bf16 = layer->forward(x, {.precision = Precision::kBf16});
  EXPECT_EQ(fp32.scalar_type(), at::kFloat);
  EXPECT_EQ(bf16.scalar_type(), at::kBFloat16);
  // 8 x 9 products per sum; a 10 % larger gain is detected.
  const double bound = bf16_bound(bf16_variance(72));
  EXPECT_LT(relative_error(bf16, fp32), bound);
  EXPECT_GT(relative_error(bf16, fp32 * 1.1), bound);
  EXPECT_FALSE(bf16.to(at::kFloat).equal(fp32));
  bf16.to(at::kFloat).square().sum().backward();
  EXPECT_EQ(layer->direction.grad().scalar_type(), at::kFloat);
  EXPECT_GT(layer->direction.grad().abs().max().item<float>(), 0);
}

TEST(Layers, WeightsAreXavierOrNormal) {
  const at::Tensor xavier = WeightSource(WeightInit::kXavier, 1, 1).draw({100, 50}, 50, 100);
  const double bound = std::sqrt(6.0 / 150);
  EXPECT_LE(xavier.abs().max().item<double>(), bound * (1 + 1e-6));
  EXPECT_GT(xavier.abs().max().item<double>(), 0.99 * bound);
  EXPECT_NEAR(xavier.mean().item<double>(), 0, 5 * bound / std::sqrt(3.0 * 5000));
  const at::Tensor normal = WeightSource(WeightInit::kNormal, 1, 1).draw({100, 50}, 50, 100);
  EXPECT_NEAR(normal.mean().item<double>(), 0, 5 * 0.05 / std::sqrt(5000.0));
  EXPECT_NEAR(normal.std().item<double>(), 0.05, 5 * 0.05 / std::sqrt(2 * 5000.0));
  EXPECT_GT(normal.abs().max().item<double>(), 0.13);
}

TEST(Layers, WeightsDependOnSeedNetworkAndLayer) {
  WeightSource first(WeightInit::kXavier, 1, 1), again(WeightInit::kXavier, 1, 1);
  const at::Tensor one = first.draw({4, 4}, 4, 4), two = first.draw({4, 4}, 4, 4);
  EXPECT_FALSE(one.equal(two));
  EXPECT_TRUE(again.draw({4, 4}, 4, 4).equal(one));
  EXPECT_TRUE(again.draw({4, 4}, 4, 4).equal(two));
  EXPECT_FALSE(WeightSource(WeightInit::kXavier, 2, 1).draw({4, 4}, 4, 4).equal(one));
  EXPECT_FALSE(WeightSource(WeightInit::kXavier, 1, 2).draw({4, 4}, 4, 4).equal(one));
}

// Output and both gradients equal those of conv_transpose2d.
TEST(Layers, PhaseConvolutionEqualsConvTranspose2d) {
  struct Case {
    int64_t count, in, height, width, out;
  };
  for (const Case& c :
       std::vector<Case>{{1, 1, 1, 1, 1}, {2, 3, 4, 4, 5}, {3, 4, 2, 7, 1}, {2, 1, 5, 3, 3}, {2, 16, 8, 8, 8}}) {
    SCOPED_TRACE(::testing::Message() << c.in << " to " << c.out << " at " << c.height << 'x' << c.width);
    const at::Tensor x = random_tensor({c.count, c.in, c.height, c.width}, 1, at::kDouble),
                     w = random_tensor({c.in, c.out, 5, 5}, 2, at::kDouble);
    const at::Tensor dy = random_tensor({c.count, c.out, 2 * c.height, 2 * c.width}, 3, at::kDouble);
    const auto run = [&](const std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>& function,
                         bool input_channels_last) {
      const at::Tensor input = (input_channels_last ? channels_last(x) : x).clone().requires_grad_();
      const at::Tensor weight = w.clone().requires_grad_();
      const at::Tensor y = function(input, weight);
      y.backward(dy);
      return std::vector<at::Tensor>{y.detach(), input.grad(), weight.grad()};
    };
    const auto expected = run(
        [](const at::Tensor& input, const at::Tensor& weight) {
          return at::conv_transpose2d(input, weight, {}, /*stride=*/2, /*padding=*/2, /*output_padding=*/1);
        },
        false);
    for (const bool input_channels_last : {true, false}) {
      const auto found =
          run([](const at::Tensor& input, const at::Tensor& weight) { return phase_convolution(input, weight, {}); },
              input_channels_last);
      for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(close_to(found[i], expected[i], kLayerTolerance)) << i;
      EXPECT_TRUE(found[0].is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST(Layers, PhaseConvolutionMatchesGoldenValues) {
  const GoldenFile golden("layers");
  const at::Tensor x = channels_last(golden["deconv.x"]).requires_grad_(), w = golden["deconv.w"].requires_grad_();
  const at::Tensor y = phase_convolution(x, w, {});
  EXPECT_TRUE(close_to(y, golden["deconv.y"], kLayerTolerance));
  y.backward(golden["deconv.dy"]);
  EXPECT_TRUE(close_to(x.grad(), golden["deconv.dx"], kLayerTolerance));
  EXPECT_TRUE(close_to(w.grad(), golden["deconv.dw"], kLayerTolerance));
}

TEST(Layers, SqueezeExcitationMatchesGoldenValues) {
  const std::map<std::string, std::string> names{
      {"squeeze_weight", "w1"}, {"excite_weight", "w2"}, {"squeeze_bias", "b1"}, {"excite_bias", "b2"}};
  for (const bool with_bias : {false, true}) {
    WeightSource weights = source();
    SqueezeExcitation block(32, 2, with_bias, weights);
    EXPECT_EQ(block->parameters().size(), with_bias ? 4U : 2U);
    expect_golden(with_bias ? "se_bias" : "se", *block, names, [&](const at::Tensor& x) { return block->forward(x); });
  }
}

TEST(Layers, SqueezeExcitationGatesEachChannelOfEachImage) {
  WeightSource weights = source();
  SqueezeExcitation block(32, 2, false, weights);
  const at::Tensor x = channels_last(random_tensor({3, 32, 4, 4}, 1, at::kFloat)) + 1;
  const at::Tensor gate = block->gate(x);
  EXPECT_EQ(gate.sizes(), (at::IntArrayRef{3, 32}));
  EXPECT_GT(gate.min().item<float>(), 0);
  EXPECT_LT(gate.max().item<float>(), 1);
  EXPECT_FALSE(gate[0].equal(gate[1]));
  EXPECT_TRUE(close_to(block->forward(x), x * gate.view({3, 32, 1, 1}), 1e-6));
  EXPECT_EQ(block->forward(x.to(at::kBFloat16)).scalar_type(), at::kBFloat16);
  EXPECT_EQ(block->squeeze_weight.sizes(), (at::IntArrayRef{2, 32}));
  EXPECT_EQ(block->excite_weight.sizes(), (at::IntArrayRef{32, 2}));
}

const std::map<std::string, std::string> kBatchNormNames{
    {"weight", "weight"}, {"bias", "bias"}, {"running_mean", "running_mean"}, {"running_var", "running_var"}};

TEST(Layers, BatchNormMatchesGoldenValuesInAllThreeModes) {
  const GoldenFile golden("layers");
  for (const auto& [name, units] : std::map<std::string, int64_t>{{"batch_norm_dense", 6}, {"batch_norm_map", 2}}) {
    SCOPED_TRACE(name);
    const auto expect_statistics = [&](const BatchNorm& norm, const std::string& after) {
      EXPECT_TRUE(close_to(norm->running_mean, golden[name + ".running_mean" + after], kLayerTolerance));
      EXPECT_TRUE(close_to(norm->running_var, golden[name + ".running_var" + after], kLayerTolerance));
    };
    BatchNorm tracking(units), untracked(units);
    expect_golden(name, *tracking, kBatchNormNames, [&](const at::Tensor& x) {
      return tracking->forward(x, {.statistics = BatchStatistics::kBatchAndTrack});
    });
    expect_statistics(tracking, "_after");
    expect_golden(name, *untracked, kBatchNormNames,
                  [&](const at::Tensor& x) { return untracked->forward(x, {.statistics = BatchStatistics::kBatch}); });
    expect_statistics(untracked, "");
    EXPECT_TRUE(close_to(untracked->forward(golden[name + ".x"], {.statistics = BatchStatistics::kRunning}),
                         golden[name + ".y_running"], kLayerTolerance));
    expect_statistics(untracked, "");
  }
}

}  // namespace
}  // namespace frgan
