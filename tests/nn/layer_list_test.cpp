// Compares the layer lists of the networks with the parameters and outputs of their modules.
#include "frgan/nn/layer_list.h"

#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "frgan/device/random.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/generator.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/networks.h"
#include "test_tensors.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using Shape = std::vector<int64_t>;
using Outputs = std::vector<std::pair<std::string, Shape>>;

// The shape for one image or noise vector.
Shape shape_of(const at::Tensor& batch) {
  return batch.sizes().slice(1).vec();
}

Outputs outputs_of(const std::vector<LayerDescription>& layers) {
  Outputs outputs;
  for (const LayerDescription& layer : layers) outputs.emplace_back(layer.name, layer.output);
  return outputs;
}

std::string text_of(const std::vector<LayerDescription>& layers, const std::string& name) {
  for (const LayerDescription& layer : layers) {
    if (layer.name == name) return layer.text;
  }
  return "";
}

// Checks that each layer lists the parameters of its module, or 0 without a module, and that the sum is that of the
// network.
void expect_parameters_of(const torch::nn::Module& network, const std::vector<LayerDescription>& layers) {
  const auto modules = network.named_modules();
  int64_t sum = 0;
  for (const LayerDescription& layer : layers) {
    EXPECT_EQ(layer.parameters, modules.contains(layer.name) ? parameter_count(*modules[layer.name]) : 0) << layer.name;
    sum += layer.parameters;
  }
  EXPECT_EQ(sum, parameter_count(network));
}

// Runs images through the layers of the network one by one, and returns the output shape of each layer.
Outputs layer_outputs(const Discriminator& network, const NetworkOptions& options, const at::Tensor& images) {
  const auto modules = network.named_modules();
  Outputs outputs;
  at::Tensor x = images;
  const auto record = [&](const std::string& name) { outputs.emplace_back(name, shape_of(x)); };
  const auto convolve = [&](const std::string& name) {
    x = modules[name]->as<WeightNormConv2dImpl>()->forward(x, {}, {.slope = options.slope});
    record(name);
  };
  const auto recalibrate = [&](const std::string& name) {
    if (!modules.contains(name)) return;
    x = modules[name]->as<SqueezeExcitationImpl>()->forward(x);
    record(name);
  };
  const auto end_block = [&](const std::string& number) {
    if (options.pooling == Pooling::kMax) {
      x = at::max_pool2d(x, 2);
      record("max_pool" + number);
    }
    recalibrate("se_block" + number);
    record("dropout" + number);
  };
  record("input_dropout");
  for (const char* name : {"conv1", "conv2", "conv3"}) convolve(name);
  end_block("1");
  for (const char* name : {"conv4", "conv5", "conv6"}) convolve(name);
  end_block("2");
  convolve("conv7");
  recalibrate("se_conv7");
  for (const char* name : {"nin1", "nin2"}) convolve(name);
  x = x.mean({2, 3});
  record("pool");
  const Classified whole = network.forward(images, {});
  EXPECT_TRUE(close_to(x, whole.features, 1e-5));  // checks that this test runs the same layers
  x = whole.logits;
  record("dense");
  return outputs;
}

TEST(LayerList, MatchesEveryDiscriminator) {
  for (const ImageShape& shape : std::vector<ImageShape>{{16, 1, 3}, {32, 3, 10}}) {
    for (const SePosition position :
         {SePosition::kNone, SePosition::kBlock1, SePosition::kBlock2, SePosition::kAfterConv256, SePosition::kAll}) {
      for (const Pooling pooling : {Pooling::kStride, Pooling::kMax}) {
        for (const auto& [bias, gain, fake] :
             std::vector<std::tuple<bool, bool, bool>>{{false, true, false}, {true, false, true}}) {
          SCOPED_TRACE(testing::Message() << static_cast<int>(position) << ' ' << static_cast<int>(pooling) << ' '
                                          << shape.image_size << (bias ? " bias" : ""));
          NetworkOptions options;
          options.width = 1.0 / 16;
          options.se_position = position;
          options.se_reduction = 2;
          options.pooling = pooling;
          options.se_bias = bias;
          options.train_gain = gain;
          options.explicit_fake_class = fake;
          const auto network = std::make_shared<Discriminator>(options, shape, 1);
          const std::vector<LayerDescription> layers = network->layers();
          expect_parameters_of(*network, layers);
          const at::Tensor images = random_tensor({2, shape.channels, shape.image_size, shape.image_size}, 1);
          EXPECT_EQ(outputs_of(layers),
                    layer_outputs(*network, options, images.contiguous(at::MemoryFormat::ChannelsLast)));
        }
      }
    }
  }
}

TEST(LayerList, MatchesAtAnImageSizeOf24) {
  for (const Pooling pooling : {Pooling::kStride, Pooling::kMax}) {
    NetworkOptions options;
    options.width = 1.0 / 16;
    options.pooling = pooling;
    const auto network = std::make_shared<Discriminator>(options, ImageShape{24, 1, 3}, 1);
    const at::Tensor images = random_tensor({2, 1, 24, 24}, 1).contiguous(at::MemoryFormat::ChannelsLast);
    EXPECT_EQ(outputs_of(network->layers()), layer_outputs(*network, options, images)) << static_cast<int>(pooling);
  }
}

TEST(LayerList, DefaultDiscriminatorIsTable1) {
  const std::vector<LayerDescription> layers = Discriminator(NetworkOptions{}, ImageShape{}, 1).layers();
  EXPECT_EQ(outputs_of(layers), (Outputs{{"input_dropout", {3, 32, 32}},
                                         {"conv1", {64, 32, 32}},
                                         {"conv2", {64, 32, 32}},
                                         {"conv3", {64, 16, 16}},
                                         {"dropout1", {64, 16, 16}},
                                         {"conv4", {128, 16, 16}},
                                         {"conv5", {128, 16, 16}},
                                         {"conv6", {128, 8, 8}},
                                         {"se_block2", {128, 8, 8}},
                                         {"dropout2", {128, 8, 8}},
                                         {"conv7", {256, 6, 6}},
                                         {"nin1", {128, 6, 6}},
                                         {"nin2", {128, 6, 6}},
                                         {"pool", {128}},
                                         {"dense", {10}}}));
  EXPECT_EQ(layers[1].parameters, 64 * 3 * 9 + 2 * 64);
  EXPECT_EQ(text_of(layers, "input_dropout"), "dropout 0.2");
  EXPECT_EQ(text_of(layers, "conv1"), "3x3 convolution to 64, stride 1, weight norm, leaky ReLU 0.2");
  EXPECT_EQ(text_of(layers, "conv6"), "3x3 convolution to 128, stride 2, weight norm, leaky ReLU 0.2");
  EXPECT_EQ(text_of(layers, "se_block2"), "squeeze-and-excitation, 128 to 8 to 128");
  EXPECT_EQ(text_of(layers, "conv7"), "3x3 convolution to 256, stride 1, no padding, weight norm, leaky ReLU 0.2");
  EXPECT_EQ(text_of(layers, "nin1"), "1x1 convolution to 128, stride 1, weight norm, leaky ReLU 0.2");
  EXPECT_EQ(text_of(layers, "pool"), "global mean pooling: the features");
  EXPECT_EQ(text_of(layers, "dense"), "dense to 10 logits, weight norm");
}

TEST(LayerList, ReflectsTheOptions) {
  NetworkOptions options;
  options.pooling = Pooling::kMax;
  options.se_bias = true;
  options.slope = 0.1;
  options.block_dropout = 0.5;
  options.explicit_fake_class = true;
  const std::vector<LayerDescription> layers = Discriminator(options, ImageShape{}, 1).layers();
  EXPECT_EQ(text_of(layers, "conv3"), "3x3 convolution to 64, stride 1, weight norm, leaky ReLU 0.1");
  EXPECT_EQ(text_of(layers, "max_pool1"), "2x2 max pooling");
  EXPECT_EQ(text_of(layers, "se_block2"), "squeeze-and-excitation, 128 to 8 to 128, biases");
  EXPECT_EQ(text_of(layers, "dropout2"), "dropout 0.5");
  EXPECT_EQ(text_of(layers, "dense"), "dense to 11 logits, weight norm");
}

// The shapes of a layer list are those that a pass yields, the parameters add up, and convolutions count 2 FLOP per
// multiply-add.
TEST(LayerList, MatchesEveryNetworkOfTheTable) {
  for (const NetworkInfo& info : all_networks()) {
    for (const ImageShape& shape : std::vector<ImageShape>{{16, 1, 3}, {24, 3, 10}, {32, 3, 10}}) {
      if (shape.image_size < info.smallest_image) continue;
      SCOPED_TRACE(testing::Message() << info.name << ' ' << shape.image_size);
      const NetworkOptions options{.network = std::string(info.name), .width = 1.0 / 16};
      const NetworkPtr network = create_network(options, shape, 1);
      const std::vector<LayerDescription> layers = network->layers();
      int64_t sum = 0;
      double flop = 0;
      for (const LayerDescription& layer : layers) {
        sum += layer.parameters;
        flop += layer.flop;
        EXPECT_NE(layer.text, "") << layer.name;
      }
      EXPECT_EQ(sum, parameter_count(*network));
      EXPECT_EQ(flop, network->forward_flop());
      const at::Tensor images = random_tensor({2, shape.channels, shape.image_size, shape.image_size}, 1);
      const Classified out = network->forward(images.contiguous(at::MemoryFormat::ChannelsLast), {});
      EXPECT_EQ(layers.back().output, shape_of(out.logits));
      EXPECT_EQ(network->feature_size(), out.features.size(1));
    }
  }
}

TEST(LayerList, ListsTheLayersOfTheOtherNetworks) {
  const auto layers_of = [](const std::string& name) {
    return create_network({.network = name}, ImageShape{}, 1)->layers();
  };
  const std::vector<LayerDescription> conv_large = layers_of("conv-large"), residual = layers_of("wrn-28-2");
  EXPECT_EQ(text_of(conv_large, "conv1"),
            "3x3 convolution to 128, stride 1, weight norm and mean-only batch norm, leaky ReLU 0.1");
  EXPECT_EQ(text_of(conv_large, "dropout1"), "dropout 0.5");
  EXPECT_EQ(text_of(conv_large, "dense"), "dense to 10 logits, weight norm and mean-only batch norm");
  EXPECT_EQ(text_of(residual, "group2_block1"),
            "residual block: 2x (batch norm, leaky ReLU 0.1, 3x3 convolution to 64), stride 2, 1x1 convolution of the "
            "input");
  // 2 x multiply-adds per image: 1.47 GFLOP for conv-large (Laine & Aila's layers), 0.42 for the residual network.
  EXPECT_NEAR(create_network({.network = "conv-large"}, ImageShape{}, 1)->forward_flop(), 1.4e9, 0.1e9);
  EXPECT_NEAR(create_network({.network = "wrn-28-2"}, ImageShape{}, 1)->forward_flop(), 0.42e9, 0.02e9);
  // 3.1 and 1.5 million parameters, as published.
  EXPECT_NEAR(static_cast<double>(parameter_count(*create_network({.network = "conv-large"}, ImageShape{}, 1))), 3.12e6,
              0.03e6);
  EXPECT_NEAR(static_cast<double>(parameter_count(*create_network({.network = "wrn-28-2"}, ImageShape{}, 1))), 1.47e6,
              0.03e6);
}

// The same for the generator, with LibTorch's transposed convolutions.
Outputs layer_outputs(const Generator& network, const at::Tensor& noise) {
  const auto modules = network.named_modules();
  const auto tensors = network.named_parameters();
  Outputs outputs;
  at::Tensor x = at::linear(noise, tensors["dense_weight"]);
  const auto normalise = [&](const std::string& name) {
    x = modules[name]->as<BatchNormImpl>()->forward(x, {.statistics = BatchStatistics::kBatch}).relu();
  };
  const auto record = [&](const std::string& name) { outputs.emplace_back(name, shape_of(x)); };
  const auto deconvolve = [&](const at::Tensor& weight) {
    x = at::conv_transpose2d(x, weight, {}, /*stride=*/2, /*padding=*/2, /*output_padding=*/1);
  };
  normalise("norm0");
  record("dense");
  const int64_t channels = tensors["deconv1_weight"].size(0),
                size = std::lround(std::sqrt(static_cast<double>(x.size(1) / channels)));
  x = x.view({-1, channels, size, size});
  record("reshape");
  deconvolve(tensors["deconv1_weight"]);
  normalise("norm1");
  record("deconv1");
  deconvolve(tensors["deconv2_weight"]);
  normalise("norm2");
  record("deconv2");
  auto* const last = modules["deconv3"]->as<WeightNormDeconv2dImpl>();
  deconvolve(last->weight());
  x = at::tanh(x + last->bias.view({1, -1, 1, 1}));
  record("deconv3");
  EXPECT_TRUE(close_to(x, network.forward(noise, {.statistics = BatchStatistics::kBatch}), 1e-4));
  return outputs;
}

TEST(LayerList, MatchesEveryGenerator) {
  for (const ImageShape& shape : std::vector<ImageShape>{{16, 1, 3}, {32, 3, 10}}) {
    for (const int64_t width : {512, 1024}) {
      const auto network = std::make_shared<Generator>(GeneratorOptions{.noise_size = 20, .gen_width = width}, shape,
                                                       1.0 / 32, WeightInit::kXavier, 1);
      const std::vector<LayerDescription> layers = network->layers();
      int64_t sum = 0;
      for (const LayerDescription& layer : layers) sum += layer.parameters;
      EXPECT_EQ(sum, parameter_count(*network)) << width;
      EXPECT_EQ(outputs_of(layers), layer_outputs(*network, random_tensor({4, 20}, 1)))
          << width << ' ' << shape.image_size;
    }
  }
}

TEST(LayerList, DefaultGeneratorIsTable1) {
  const std::vector<LayerDescription> layers =
      Generator(GeneratorOptions{}, ImageShape{}, 1.0, WeightInit::kXavier, 1).layers();
  EXPECT_EQ(outputs_of(layers), (Outputs{{"dense", {8192}},
                                         {"reshape", {512, 4, 4}},
                                         {"deconv1", {256, 8, 8}},
                                         {"deconv2", {128, 16, 16}},
                                         {"deconv3", {3, 32, 32}}}));
  std::vector<int64_t> parameters;
  for (const LayerDescription& layer : layers) parameters.push_back(layer.parameters);
  EXPECT_THAT(parameters, ElementsAre(8192 * 100 + 2 * 8192, 0, 512 * 256 * 25 + 2 * 256, 256 * 128 * 25 + 2 * 128,
                                      128 * 3 * 25 + 2 * 3));
  EXPECT_EQ(layers[0].text, "dense 100 to 8192, batch norm, ReLU");
  EXPECT_EQ(layers[1].text, "reshape to 512x4x4");
  EXPECT_EQ(layers[2].text, "5x5 transposed convolution to 256, stride 2, batch norm, ReLU");
  EXPECT_EQ(layers[4].text, "5x5 transposed convolution to 3, stride 2, weight norm, tanh");
  const Generator reversed(GeneratorOptions{.gen_order = GeneratorOrder::kReluThenBatchNorm}, ImageShape{}, 1.0 / 16,
                           WeightInit::kXavier, 1);
  EXPECT_EQ(reversed.layers()[0].text, "dense 100 to 512, ReLU, batch norm");
  EXPECT_EQ(reversed.layers()[3].text, "5x5 transposed convolution to 8, stride 2, ReLU, batch norm");
}

TEST(ParameterCount, CountsTrainedValuesOnly) {
  EXPECT_EQ(parameter_count(*BatchNorm(7)), 14);  // without running mean and variance
  WeightSource source(WeightInit::kXavier, 1, 1);
  const auto layer = [&](bool train_gain) { return WeightNormLinear(5, 3, 1.0, train_gain, source); };
  EXPECT_EQ(parameter_count(*layer(true)), 15 + 3 + 3);
  EXPECT_EQ(parameter_count(*layer(false)), 15 + 3);
  const auto network = std::make_shared<Discriminator>(NetworkOptions{}, ImageShape{}, 1);
  EXPECT_EQ(parameter_count(*network), 789'440 + 2 * 1'098 + 2'048);  // including submodules
}

}  // namespace
}  // namespace frgan
