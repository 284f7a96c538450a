// The networks for photos against timm (tests/golden/make_photo_networks.py), and the interpolation of position
// embeddings.
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "../io/temporary_folder.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/network.h"
#include "frgan/nn/networks.h"
#include "frgan/nn/vision_transformer.h"

namespace frgan {
namespace {

constexpr int64_t kPositions = 1 + 37 * 37;  // of the position embeddings before interpolation

// `numbers` of make_photo_networks.py.
at::Tensor numbers(std::string_view name, at::IntArrayRef shape) {
  uint64_t key = 0xCBF29CE484222325;
  for (const char letter : name) key = (key ^ static_cast<uint8_t>(letter)) * 0x100000001B3;
  const at::Tensor result = at::empty(shape, at::kDouble);
  auto* const to = result.data_ptr<double>();
  for (int64_t i = 0; i < result.numel(); ++i) {
    uint64_t x = key + static_cast<uint64_t>(i + 1) * 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    x ^= x >> 31;
    to[i] = static_cast<double>(x >> 40) * 0x1p-24;
  }
  return result;
}

// `values` of make_photo_networks.py.
at::Tensor values(const std::string& name, at::IntArrayRef shape) {
  const at::Tensor u = numbers(name, shape);
  const auto ends = [&](std::string_view end) { return name.ends_with(end); };
  if (ends("running_var")) return (0.5 + 1.5 * u).to(at::kFloat);
  if (ends("bias") || ends("running_mean")) return (0.4 * u - 0.2).to(at::kFloat);
  if (ends("gamma") || shape.size() == 1) return (0.5 + u).to(at::kFloat);
  if (name == "images" || name == "cls_token" || name == "pos_embed") return (2 * u - 1).to(at::kFloat);
  const int64_t fan_in = u[0].numel();
  return ((2 * u - 1) * std::sqrt(3.0 / static_cast<double>(fan_in))).to(at::kFloat);
}

void fill(const Network& network) {
  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : named_tensors(network)) {
    if (name == "pos_embed") {
      const int64_t side = network.shape().image_size / VisionTransformer::kPatch;
      tensor.copy_(resampled_positions(values(name, {1, kPositions, tensor.size(2)}), side));
    } else {
      tensor.copy_(values(name, tensor.sizes()));
    }
  }
}

// Up to 64 values at even distances.
at::Tensor sampled(const at::Tensor& output, int64_t count) {
  const at::Tensor flat = output.contiguous().flatten();
  return flat.index_select(0, at::arange(count) * (flat.numel() / count));
}

struct PhotoNetwork {
  std::string name;  // in the golden file
  NetworkOptions options;
  int64_t image_size = 64;
};

const std::vector<PhotoNetwork>& photo_networks() {
  static const std::vector<PhotoNetwork> networks{
      {"resnet18", {.network = "resnet18"}},
      {"resnet50", {.network = "resnet50"}},
      {"efficientnet-lite0", {.network = "efficientnet-lite0"}},
      {"efficientnet-lite0-same", {.network = "efficientnet-lite0", .padding = Padding::kSame, .norm_epsilon = 1e-3}},
      {"efficientnet-lite0-odd",
       {.network = "efficientnet-lite0", .padding = Padding::kSame, .norm_epsilon = 1e-3},
       45},
      {"convnext-tiny", {.network = "convnext-tiny"}},
      {"vit-small-14", {.network = "vit-small-14"}, 70}};
  return networks;
}

// Every layer must match, so that no error of one hides that of another.
TEST(PhotoNetworks, LayersMatchTimm) {
  const GoldenFile golden("photo_networks");
  const torch::NoGradGuard no_grad;
  for (const PhotoNetwork& its : photo_networks()) {
    const NetworkPtr network = create_network(its.options, {its.image_size, 3, 7}, 1);
    fill(*network);
    const at::Tensor images =
        values("images", {2, 3, its.image_size, its.image_size}).contiguous(at::MemoryFormat::ChannelsLast);
    const std::vector<at::Tensor> outputs = network->outputs(images, {});
    const std::vector<LayerDescription> layers = network->layers();
    size_t compared = 0;
    for (size_t i = 0; i < layers.size(); ++i) {
      SCOPED_TRACE(its.name + " " + layers[i].name);
      std::vector<int64_t> shape = layers[i].output;
      shape.insert(shape.begin(), 2);
      EXPECT_EQ(outputs[i].sizes(), at::IntArrayRef(shape));
      const std::string key = its.name + "/" + layers[i].name;
      ASSERT_TRUE(golden.contains(key) || layers[i].parameters == 0);
      if (!golden.contains(key)) continue;
      const at::Tensor expected = golden[key];
      EXPECT_TRUE(close_to(sampled(outputs[i], expected.numel()), expected, 1e-4));
      ++compared;
    }
    EXPECT_GE(compared, layers.size() - 1) << its.name;  // all but a pooling layer
    EXPECT_TRUE(network->forward(images, {}).logits.equal(outputs.back())) << its.name;
  }
}

// Multiply-adds at 224 x 224 pixels and parameters with 1000 classes, as in timm's table of results. DINOv2's small
// network has 22.06 million parameters without a classifier.
TEST(PhotoNetworks, HaveThePublishedSize) {
  struct Size {
    std::string network;
    double multiply_adds, parameters;  // in units of 1e9 and 1e6, with 1000 classes
  };
  for (const auto& [name, multiply_adds, parameters] : std::vector<Size>{{"resnet18", 1.82, 11.69},
                                                                         {"resnet50", 4.11, 25.56},
                                                                         {"efficientnet-lite0", 0.39, 4.65},
                                                                         {"convnext-tiny", 4.47, 28.59}}) {
    const NetworkPtr network = create_network({.network = name}, {224, 3, 1000}, 1);
    EXPECT_NEAR(network->forward_flop() / 2e9, multiply_adds, 0.02 * multiply_adds) << name;
    EXPECT_NEAR(static_cast<double>(parameter_count(*network)) / 1e6, parameters, 0.01 * parameters) << name;
  }
  const NetworkPtr network = create_network({.network = "vit-small-14"}, {518, 3, 2}, 1);
  EXPECT_NEAR(static_cast<double>(parameter_count(*network)) / 1e6, 22.06, 0.02);
}

TEST(PhotoNetworks, NameTheSmallestImage) {
  EXPECT_EQ(error_of([] {
              create_network({.network = "convnext-tiny"}, {16, 3, 2}, 1);
            }),
            "--network convnext-tiny needs images of at least 32x32 pixels; got 16x16");
}

// Interpolation of a linear function is exact inside, and the class token stays.
TEST(Positions, AreInterpolated) {
  const at::Tensor side = at::arange(8, at::kFloat);
  const at::Tensor grid = (side.view({8, 1}) + 0.5).expand({8, 8}).reshape({1, 64, 1});
  const at::Tensor positions = at::cat({at::full({1, 1, 1}, 7.0F), grid}, 1);
  EXPECT_TRUE(resampled_positions(positions, 8).equal(positions));
  const at::Tensor half = resampled_positions(positions, 4);
  EXPECT_EQ(half.sizes(), (at::IntArrayRef{1, 17, 1}));
  EXPECT_EQ(half[0][0][0].item<float>(), 7);
  EXPECT_NEAR(half[0][1 + 4 * 1 + 2][0].item<float>(), 3, 0.05);  // row 1 of 4 has its center at 3 of 8
  EXPECT_NEAR(half[0][1 + 4 * 2 + 1][0].item<float>(), 5, 0.05);
  EXPECT_THROW(resampled_positions(at::zeros({1, 64, 3}), 4), c10::Error);
}

}  // namespace
}  // namespace frgan
