// Writes networks with random weights as ONNX files, with images and the outputs that C++ computes for them:
// write_cases FOLDER. tests/interchange/onnx_test.py compares them with onnxruntime.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>

#include "../nn/random_tensors.h"
#include "frgan/classifier/tensors_file.h"
#include "frgan/core/error.h"
#include "frgan/core/options.h"
#include "frgan/data/augment.h"
#include "frgan/device/random.h"
#include "frgan/interchange/model_graph.h"
#include "frgan/interchange/onnx.h"
#include "frgan/io/area_resize.h"
#include "frgan/io/files.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/nn/network.h"
#include "frgan/nn/networks.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kImages = 6, kClasses = 5;
constexpr double kTemperature = 1.7;

// Images that differ in color and contrast.
at::Tensor random_images(const ImageShape& shape) {
  const int64_t side = shape.image_size;
  const at::Tensor noise = random_integers({kImages, side, side, shape.channels}, 0, 256, /*key=*/3, at::kCPU);
  const at::Tensor contrast = random_uniform({kImages, 1, 1, 1}, 0.1, 1, /*key=*/4, at::kFloat);
  const at::Tensor color = random_uniform({kImages, 1, 1, shape.channels}, 0, 255, /*key=*/5, at::kFloat);
  return (noise * contrast + color * (1 - contrast)).to(at::kByte);
}

// Scales the last layer, so that each logit has mean 0 and deviation 2 over these images.
void spread_logits(const Network& network, const at::Tensor& images) {
  const std::string last = network.layers().back().name + ".";
  const NamedTensors tensors = named_tensors(network);
  const auto gain = tensors.contains(last + "gain") ? tensors.at(last + "gain") : tensors.at(last + "weight");
  const auto logits = [&] { return network.forward(images, {}).logits; };
  const at::Tensor factor = 2 / logits().std(0);
  gain.mul_(gain.dim() == 1 ? factor : factor.unsqueeze(1));
  tensors.at(last + "bias").sub_(logits().mean(0));
}

void write_case(const fs::path& folder, const std::string& name, const Network& network) {
  const torch::NoGradGuard no_grad;
  const ImageShape& shape = network.shape();
  fill_with_random_values(network);
  const at::Tensor images = random_images(shape), input = normalised(images, at::kFloat);
  spread_logits(network, input);
  const at::Tensor logits = network.forward(input, {}).logits.narrow(1, 0, shape.classes) / kTemperature;
  GraphBuilder graph;
  add_outputs(graph, network.add_to(graph, add_image_input(graph, shape)), shape.classes, kTemperature);
  write_file_safely(folder / (name + ".onnx"), onnx_bytes(graph.finish(), name, {{"case", name}}));
  write_tensors(folder / (name + ".safetensors"), {{"image", images},
                                                   {"probabilities", logits.softmax(1)},
                                                   {"unknown_score", -kTemperature * logits.logsumexp(1)}});
}

struct Case {
  std::string name;
  NetworkOptions options;
  ImageShape shape{32, 3, kClasses};
};

std::vector<Case> cases() {
  constexpr double kWidth = 0.25;
  std::vector<Case> all;
  const std::vector<std::pair<std::string, InputNormalizationKind>> normalizations{
      {"scale", InputNormalizationKind::kScale},
      {"standard", InputNormalizationKind::kStandard},
      {"image", InputNormalizationKind::kImage},
      {"zca", InputNormalizationKind::kZca},
      {"pca", InputNormalizationKind::kPca}};
  for (const NetworkInfo& info : all_networks()) {
    for (const auto& [name, kind] : normalizations) {
      if (kind == InputNormalizationKind::kPca && !info.takes_vectors) continue;
      all.push_back({fmt::format("{}-{}", info.name, name),
                     {.network = std::string(info.name), .width = kWidth, .normalization = {.kind = kind}}});
    }
  }
  const auto add = [&](const std::string& name, NetworkOptions options, ImageShape shape = {32, 3, kClasses}) {
    options.width = kWidth;
    all.push_back({name, options, shape});
  };
  add("table1-gray", {}, {24, 1, kClasses});
  add("table1-fake", {.se_bias = true, .explicit_fake_class = true});
  add("table1-max", {.pooling = Pooling::kMax, .se_position = SePosition::kAll, .train_gain = false});
  add("conv-large-bn", {.network = "conv-large", .conv_large_norm = ConvLargeNorm::kBatchNorm});
  add("efficientnet-same", {.network = "efficientnet-lite0", .padding = Padding::kSame, .norm_epsilon = 1e-3},
      {72, 3, kClasses});
  add("vit-larger", {.network = "vit-small-14"}, {88, 3, kClasses});
  add("resnet50-larger", {.network = "resnet50"}, {120, 3, kClasses});
  return all;
}

// The resizing alone: FOLDER/resize/NAME.onnx, with images of several sizes and the values that the library computes.
void write_resizing(const fs::path& folder) {
  fs::create_directory(folder);
  const std::vector<PixelSize> sizes{{1, 1}, {20, 31}, {32, 32}, {48, 64}, {500, 333}, {3000, 4000}};
  for (const int64_t channels : {1, 3}) {
    const ImageShape shape{32, channels, kClasses};
    GraphBuilder graph;
    graph.output(add_image_input(graph, shape), {"pixels", GraphType::kFloat, {"N", "C", "32", "32"}});
    const std::string name = fmt::format("channels-{}", channels);
    write_file_safely(folder / (name + ".onnx"), onnx_bytes(graph.finish(), name, {}));
    NamedTensors tensors;
    for (const auto& [height, width] : sizes) {
      const at::Tensor image = random_integers({1, height, width, 3}, 0, 256, /*key=*/6, at::kCPU).to(at::kByte);
      const std::span<const uint8_t> pixels(image.data_ptr<uint8_t>(), static_cast<size_t>(image.numel()));
      std::vector<float> values = area_resized(pixels, {height, width}, 3, {32, 32});
      if (channels == 1) values = gray_of(values);
      tensors[fmt::format("image {}x{}", height, width)] = image;
      tensors[fmt::format("pixels {}x{}", height, width)] = at::tensor(values).view({1, 32, 32, channels});
    }
    write_tensors(folder / (name + ".safetensors"), tensors);
  }
}

void write_cases(const fs::path& folder) {
  write_resizing(folder / "resize");
  for (const Case& one : cases()) {
    write_case(folder, one.name, *create_network(one.options, one.shape, /*seed=*/1));
  }
  for (const char* const normalization : {"scale", "pca"}) {
    const std::unique_ptr<Method> method = create_method("m1m2");
    OptionSet options;
    method->describe(options);
    options.find("normalization", "test").set(normalization, "test");
    options.find("width", "test").set(0.25, "test");
    const ImageShape shape{32, 1, kClasses};
    write_case(folder, fmt::format("m1m2-{}", normalization), *method->make_classifier({.shape = shape, .seed = 2}));
  }
}

}  // namespace
}  // namespace frgan

int main(int count, char** arguments) {
  if (count != 2) return 2;
  try {
    frgan::write_cases(arguments[1]);
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}
