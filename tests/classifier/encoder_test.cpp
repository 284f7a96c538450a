// Published weights: their network, their config.json, and errors.
#include "frgan/classifier/encoder.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../io/temporary_folder.h"
#include "frgan/classifier/tensors_file.h"
#include "frgan/device/random.h"
#include "frgan/nn/networks.h"
#include "frgan/nn/vision_transformer.h"

namespace frgan {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

const std::string kLite0Config =
    R"({"architecture": "tf_efficientnet_lite0.in1k", "num_classes": 1000, "pretrained_cfg": {
  "input_size": [3, 224, 224], "mean": [0.5, 0.4, 0.3], "std": [0.5, 0.25, 0.2], "crop_pct": 0.875,
  "interpolation": "bicubic", "license": "apache-2.0", "hf_hub_id": "timm/tf_efficientnet_lite0.in1k"}})";

NetworkOptions lite0_options() {
  NetworkOptions options{.network = "efficientnet-lite0", .padding = Padding::kSame, .norm_epsilon = 1e-3};
  options.normalization.kind = InputNormalizationKind::kStandard;
  return options;
}

class EncoderTest : public ::testing::Test {
 protected:
  void write_text(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  // The tensors of a network, without its normalization.
  static NamedTensors weights_of(const Network& network) {
    NamedTensors tensors = named_tensors(network);
    std::erase_if(tensors, [](const auto& item) { return item.first.starts_with("normalization."); });
    return tensors;
  }
  std::string error_with(const std::string& config) const {
    write_text("config.json", config);
    return error_of([&] { read_encoder(file_); });
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "model.safetensors";
};

at::Tensor some_photos(int64_t size) {
  return random_uniform({2, 3, size, size}, -1, 1, 7, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
}

TEST_F(EncoderTest, LoadsAllButTheLastLayer) {
  const torch::NoGradGuard no_grad;
  NetworkOptions plain = lite0_options();
  plain.normalization.kind = InputNormalizationKind::kScale;
  const NetworkPtr published = create_network(plain, {64, 3, 20}, 1);
  NamedTensors weights = weights_of(*published);
  weights["bn1.num_batches_tracked"] = at::zeros({}, at::kLong);
  write_tensors(file_, weights);
  write_text("config.json", kLite0Config);

  const Encoder encoder = read_encoder(file_);
  EXPECT_EQ(encoder.network.network, "efficientnet-lite0");
  EXPECT_EQ(encoder.network.padding, Padding::kSame);
  EXPECT_EQ(encoder.config.license, "apache-2.0");
  EXPECT_EQ(encoder.config.source, "timm/tf_efficientnet_lite0.in1k");
  EXPECT_EQ(encoder.config.crop, 0.875);
  EXPECT_EQ(encoder.config.image_size, 224);
  EXPECT_EQ(encoder.sha256.size(), 64U);

  const NetworkPtr network = create_network(encoder.network, {64, 3, 4}, 2);
  const at::Tensor last = network->named_parameters()["classifier.weight"].clone();
  load_encoder(*network, encoder);
  EXPECT_TRUE(network->named_parameters()["classifier.weight"].equal(last));
  const at::Tensor images = some_photos(64);
  const at::Tensor mean = at::tensor({0.5, 0.4, 0.3}).view({3, 1, 1}),
                   std = at::tensor({0.5, 0.25, 0.2}).view({3, 1, 1});
  const at::Tensor prepared = (((images + 1) / 2 - mean) / std).to(at::kFloat);
  const at::Tensor expected = published->forward(prepared, {}).features;
  EXPECT_TRUE(at::allclose(network->forward(images, {}).features, expected, 1e-4, 1e-5));
}

TEST_F(EncoderTest, LoadsHalfPrecisionAndInterpolatesPositions) {
  const torch::NoGradGuard no_grad;
  const NetworkPtr published = create_network({.network = "vit-small-14"}, {56, 3, 2}, 1);
  NamedTensors weights = weights_of(*published);
  for (auto& [name, tensor] : weights) tensor = tensor.to(at::kHalf);
  weights.erase("head.weight");  // published without a classifier
  weights.erase("head.bias");
  write_tensors(file_, weights);
  write_text("other.json", R"({"architecture": "vit_small_patch14_dinov2", "input_size": [3, 56, 56],
                               "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]})");
  const Encoder encoder = read_encoder(file_, folder_ / "other.json");
  for (const int64_t size : {56, 42}) {
    const NetworkPtr network = create_network(encoder.network, {size, 3, 2}, 2);
    load_encoder(*network, encoder);
    const auto found = network->named_parameters();
    EXPECT_EQ(found["blocks.3.attn.qkv.weight"].scalar_type(), at::kFloat);
    EXPECT_TRUE(found["blocks.3.attn.qkv.weight"].equal(weights.at("blocks.3.attn.qkv.weight").to(at::kFloat)));
    const at::Tensor positions = weights.at("pos_embed").to(at::kFloat);
    EXPECT_TRUE(found["pos_embed"].equal(resampled_positions(positions, size / 14))) << size;
  }
}

TEST_F(EncoderTest, AsksForAConfig) {
  write_tensors(file_, weights_of(*create_network(lite0_options(), {32, 3, 2}, 1)));
  EXPECT_EQ(error_of([&] { read_encoder(file_); }),
            file_.string() +
                ": no config.json beside the weights of efficientnet_lite0, tf_efficientnet_lite0; get it from "
                "their publisher, or name it with --encoder-config: it says how images are prepared, and "
                "which of these networks it is");
  EXPECT_EQ(error_with(R"({"architecture": "resnet18", "input_size": [3, 8, 8], "mean": [0, 0, 0], "std": [1, 1, 1]})"),
            (folder_ / "config.json").string() +
                ": 'architecture' is resnet18, which is not supported; the tensors of " + file_.string() +
                " look like efficientnet_lite0, tf_efficientnet_lite0");
  EXPECT_THAT(error_with("{}"), EndsWith("config.json: 'architecture' is missing"));
  const std::string begin = R"({"architecture": "efficientnet_lite0", )";
  EXPECT_THAT(error_with(begin + R"("mean": [0, 0], "std": [1, 1, 1]})"),
              EndsWith("'mean' must be three numbers from 0 to 1, one per color channel"));
  EXPECT_THAT(error_with(begin + R"("mean": [0, 0, 0], "std": [1, 0, 1]})"),
              EndsWith("'std' must be three numbers from 0.01 to 1, one per color channel"));
  const std::string colors = begin + R"("mean": [0, 0, 0], "std": [1, 1, 1])";
  EXPECT_THAT(error_with(colors + "}"), EndsWith("'input_size' must be [3, S, S] with the side S, 1 to 4096 pixels"));
  for (const char* size : {"[3, 8, 9]", "[3, 0, 0]", "[3, 5000, 5000]", "[1, 8, 8]", "8"}) {
    EXPECT_THAT(error_with(colors + R"(, "input_size": )" + size + "}"), HasSubstr("'input_size' must be")) << size;
  }
  EXPECT_THAT(error_with(colors + R"(, "input_size": [3, 8, 8], "crop_pct": 7})"),
              EndsWith("'crop_pct' must be a number from 0.1 to 1"));
  EXPECT_THAT(error_with(colors + R"(, "input_size": [3, 8, 8], "license": 7})"), EndsWith("'license' must be a text"));
}

TEST_F(EncoderTest, NamesTheTensorThatDoesNotFit) {
  const NetworkPtr published = create_network(lite0_options(), {32, 3, 2}, 1);
  write_text("config.json", kLite0Config);
  const auto error_after = [&](const auto& change) {
    NamedTensors weights = weights_of(*published);
    change(weights);
    write_tensors(file_, weights);
    return error_of([&] {
      const Encoder encoder = read_encoder(file_);
      const NetworkPtr network = create_network(encoder.network, {32, 3, 2}, 3);
      const at::Tensor before = network->named_parameters()["conv_stem.weight"].clone();
      try {
        load_encoder(*network, encoder);
      } catch (const Error&) {
        EXPECT_TRUE(network->named_parameters()["conv_stem.weight"].equal(before)) << "must change nothing";
        throw;
      }
    });
  };
  EXPECT_THAT(error_after([](NamedTensors& weights) { weights.erase("blocks.1.0.bn2.bias"); }),
              HasSubstr("tensor 'blocks.1.0.bn2.bias' is missing"));
  EXPECT_THAT(error_after([](NamedTensors& weights) { weights["blocks.1.0.se.weight"] = at::zeros({2}); }),
              HasSubstr("this network has no tensor 'blocks.1.0.se.weight'"));
  EXPECT_THAT(error_after([](NamedTensors& weights) { weights["bn1.bias"] = at::zeros({32}, at::kInt); }),
              HasSubstr("tensor 'bn1.bias' holds no floating-point numbers"));
  EXPECT_THAT(error_after([](NamedTensors& weights) {
                weights["pos_embed"] = at::zeros({1, 5, 0});
              }),
              HasSubstr("this network has no tensor 'pos_embed'"));
  EXPECT_THAT(error_after([](NamedTensors& weights) { weights["bn1.bias"] = at::zeros({31}); }),
              HasSubstr("tensor 'bn1.bias' has shape 31, expected 32"));
  EXPECT_THAT(
      error_after([](NamedTensors& weights) { weights.erase("blocks.6.0.conv_pwl.weight"); }),
      HasSubstr("weights of an unknown network, with 246 tensors such as 'blocks.0.0.bn1.bias'; known networks: "
                "resnet18, resnet50, efficientnet_lite0, tf_efficientnet_lite0, convnext_tiny, "
                "vit_small_patch14_dinov2"));
}

TEST_F(EncoderTest, RejectsPicklesAndDamagedFiles) {
  EXPECT_EQ(error_of([] { read_encoder("w/resnet18.pth"); }),
            "w/resnet18.pth: weights in pickle format can run code and are not read; convert them with "
            "'scripts/convert-encoder w/resnet18.pth FOLDER'");
  write_tensors(file_, {{"a", at::zeros({3})}});
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 1);
  EXPECT_THAT(error_of([&] { read_encoder(file_); }), HasSubstr("model.safetensors"));
  EXPECT_THAT(error_of([&] { read_encoder(folder_ / "absent.safetensors"); }), HasSubstr("absent.safetensors"));
}

}  // namespace
}  // namespace frgan
