#include "frgan/nn/networks.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/nn/conv_large.h"
#include "frgan/nn/convnext.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/efficientnet.h"
#include "frgan/nn/mlp.h"
#include "frgan/nn/resnet.h"
#include "frgan/nn/vision_transformer.h"
#include "frgan/nn/wide_resnet.h"

namespace frgan {
namespace {

template <class T>
NetworkPtr make_network(const NetworkOptions& options, const ImageShape& shape, uint64_t seed) {
  return std::make_shared<T>(options, shape, seed);
}

constexpr std::array<std::string_view, 11> kTable1Options{"pooling", "se-position", "se-reduction",  "se-min-hidden",
                                                          "se-bias", "leaky-slope", "input-dropout", "block-dropout",
                                                          "init",    "train-gain",  "init-images"};
constexpr std::array<std::string_view, 3> kConvLargeOptions{"conv-large-norm", "conv-large-dropout", "init-images"};
constexpr std::array<std::string_view, 6> kMlpOptions{"mlp-layers",    "mlp-units", "leaky-slope",
                                                      "input-dropout", "init",      "init-images"};
constexpr std::array<std::string_view, 2> kEfficientNetOptions{"padding", "norm-epsilon"};

constexpr std::array kNetworks{
    NetworkInfo{"table1", "the discriminator of FR-GAN: nine convolutions with weight norm, squeeze-and-excitation",
                make_network<Discriminator>, /*has_batch_statistics=*/false, kTable1Options},
    NetworkInfo{"conv-large", "the 13-layer network of Laine & Aila, VAT and Mean Teacher", make_network<ConvLarge>,
                /*has_batch_statistics=*/true, kConvLargeOptions},
    NetworkInfo{"wrn-28-2",
                "wide residual network with 28 layers, as in FixMatch",
                make_network<WideResNet>,
                /*has_batch_statistics=*/true,
                {}},
    NetworkInfo{"mlp", "multilayer perceptron with weight norm", make_network<Mlp>, /*has_batch_statistics=*/false,
                kMlpOptions, /*takes_vectors=*/true},
    NetworkInfo{"resnet18",
                "residual network with 18 layers, for photos",
                ResNet::resnet18,
                /*has_batch_statistics=*/true,
                {}},
    NetworkInfo{"resnet50",
                "residual network with 50 layers, for photos",
                ResNet::resnet50,
                /*has_batch_statistics=*/true,
                {}},
    NetworkInfo{"efficientnet-lite0", "EfficientNet-Lite0, a small network for photos", make_network<EfficientNetLite>,
                /*has_batch_statistics=*/true, kEfficientNetOptions},
    NetworkInfo{"convnext-tiny",
                "ConvNeXt-Tiny, for photos",
                make_network<ConvNext>,
                /*has_batch_statistics=*/false,
                {},
                /*takes_vectors=*/false,
                ConvNext::kSmallestImage},
    NetworkInfo{"vit-small-14",
                "vision transformer with patches of 14 x 14 pixels, as in DINOv2, for photos",
                make_network<VisionTransformer>,
                /*has_batch_statistics=*/false,
                {},
                /*takes_vectors=*/false,
                VisionTransformer::kPatch},
};

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  names.reserve(kNetworks.size());
  for (const NetworkInfo& info : kNetworks) names.emplace_back(info.name);
  return names;
}

bool uses(const NetworkInfo& info, std::string_view option) {
  return std::ranges::find(info.options, option) != info.options.end();
}

}  // namespace

void describe(OptionSet& options, NetworkOptions& network) {
  options.group("Network");
  options.add("network", network.network, "Architecture of the classifier (frgan methods describes them).",
              Choices{network_names()});
  options.add("width", network.width,
              "Factor on the channels or hidden units of the network, such as the channels of Table 1.",
              Range<double>{1.0 / 64, 8});
  options.add(
      "pooling", network.pooling,
      "Downsampling in each block: stride 2 in its third convolution, or 2x2 max pooling after it (A2: downsampling).",
      Words<Pooling>{"stride", "max"});
  options.add("se-position", network.se_position,
              "Position of the squeeze-and-excitation block; block2 is the position in Table 1 (A3: SE position).",
              Words<SePosition>{"none", "block1", "block2", "after_conv256", "all"});
  options.add("se-reduction", network.se_reduction,
              "Reduction ratio r of squeeze-and-excitation: its hidden layer has C/r units for C channels, and at "
              "least --se-min-hidden (A3: SE position).",
              Range<int64_t>{1, 1024});
  options.add(
      "se-min-hidden", network.se_min_hidden,
      "Smallest number of hidden units of squeeze-and-excitation; it applies where C/r is smaller (A3: SE position).",
      Range<int64_t>{1, 1024, "units"});
  options.add("se-bias", network.se_bias,
              "Adds biases to the layers of squeeze-and-excitation; eq. 11 has none (A4: SE biases).");
  options.add("leaky-slope", network.slope, "Slope of leaky ReLU for negative inputs (A19: leaky ReLU slope).",
              Range<double>{0.001, 1});
  options.add("input-dropout", network.input_dropout, "Dropout probability on the input image (A1: input dropout).",
              Range<double>{0, 0.95});
  options.add("block-dropout", network.block_dropout,
              "Dropout probability at the end of both convolution blocks, after squeeze-and-excitation (Table 1).",
              Range<double>{0, 0.95});
  options.add(
      "init", network.init,
      "Distribution of the initial weights: xavier is Xavier uniform, normal is N(0, 0.05^2) (A17: initial weights).",
      Words<WeightInit>{"xavier", "normal"});
  options.add("train-gain", network.train_gain,
              "Trains the gains of the hidden weight-normalized layers (A31: data-dependent initialization).");
  options.add("explicit-fake-class", network.explicit_fake_class,
              "Trains the logit of the generated class, so that the network has K+1 logits; otherwise that logit is 0 "
              "(A23: number of logits).");
  options.add("conv-large-norm", network.conv_large_norm,
              "Normalization of conv-large: weight norm with mean-only batch norm, or batch norm.",
              Words<ConvLargeNorm>{"weight_norm", "batch_norm"});
  options.add("conv-large-dropout", network.conv_large_dropout,
              "Dropout probability after each max pooling of conv-large.", Range<double>{0, 0.95});
  options.add("mlp-layers", network.mlp_layers, "Hidden layers of mlp.", Range<int64_t>{1, 16, "layers"});
  options.add("mlp-units", network.mlp_units, "Units in each hidden layer of mlp, before --width applies.",
              Range<int64_t>{1, 16384, "units"});
  options.add(
      "padding", network.padding,
      "Padding of the convolutions of efficientnet-lite0: symmetric, or same as in TensorFlow, for weights that "
      "were trained there.",
      Words<Padding>{"symmetric", "same"});
  options.add("norm-epsilon", network.norm_epsilon,
              "Number that the batch norm of efficientnet-lite0 adds to the variance; 0.001 for weights of TensorFlow.",
              Range<double>{1e-12, 0.1});
  describe(options, network.normalization);
}

std::span<const NetworkInfo> all_networks() {
  return kNetworks;
}

const NetworkInfo& find_network(std::string_view name) {
  const auto* const info = std::ranges::find(kNetworks, name, &NetworkInfo::name);
  if (info != kNetworks.end()) return *info;
  throw usage_error(fmt::format("unknown network '{}'; known networks: {}{}", name, fmt::join(network_names(), ", "),
                                nearest_hint(name, network_names())));
}

void check_input(const NetworkOptions& options) {
  const NetworkInfo& info = find_network(options.network);
  if (options.normalization.kind == InputNormalizationKind::kPca && !info.takes_vectors) {
    throw usage_error(fmt::format(
        "--normalization pca cannot be combined with --network {}: principal components are not an image; use "
        "--normalization zca, or --network mlp",
        info.name));
  }
}

NetworkPtr create_network(const NetworkOptions& options, const ImageShape& shape, uint64_t seed) {
  check_input(options);
  const NetworkInfo& info = find_network(options.network);
  if (shape.image_size < info.smallest_image) {
    throw usage_error(fmt::format("--network {} needs images of at least {}x{} pixels; got {}x{}", info.name,
                                  info.smallest_image, info.smallest_image, shape.image_size, shape.image_size));
  }
  return info.create(options, shape, seed);
}

std::vector<WithoutEffect> network_options_without_effect(const OptionSet& options) {
  std::vector<WithoutEffect> found;
  std::string network;
  for (const Option& option : options.all()) {
    if (option.name == "network") network = option.value().get<std::string>();
  }
  const auto* const selected = std::ranges::find(kNetworks, network, &NetworkInfo::name);
  if (selected == kNetworks.end()) return found;
  for (const Option& option : options.all()) {
    if (option.value() == option.initial || uses(*selected, option.name)) continue;
    std::vector<std::string_view> users;
    for (const NetworkInfo& info : kNetworks) {
      if (uses(info, option.name)) users.push_back(info.name);
    }
    if (users.empty()) continue;
    found.push_back({option.name, fmt::format("--{} has no effect on --network {}; it belongs to: {}", option.name,
                                              network, fmt::join(users, ", "))});
  }
  return found;
}

}  // namespace frgan
