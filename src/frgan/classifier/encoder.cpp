#include "frgan/classifier/encoder.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/tensors_file.h"
#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/digests.h"
#include "frgan/io/json_file.h"
#include "frgan/nn/networks.h"
#include "frgan/nn/vision_transformer.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestInput = 4096;  // pixels a side

// A network for photos, a name of timm for it, and a tensor that tells it from the others.
struct KnownEncoder {
  std::string_view architecture, network;
  Padding padding;
  double norm_epsilon;
  std::string_view tensor;
  std::vector<int64_t> shape;
};

const std::vector<KnownEncoder>& known_encoders() {
  const std::string_view lite0 = "blocks.6.0.conv_pwl.weight";
  static const std::vector<KnownEncoder> known{
      {"resnet18", "resnet18", Padding::kSymmetric, 1e-5, "layer4.1.conv2.weight", {512, 512, 3, 3}},
      {"resnet50", "resnet50", Padding::kSymmetric, 1e-5, "layer3.5.conv3.weight", {1024, 256, 1, 1}},
      {"efficientnet_lite0", "efficientnet-lite0", Padding::kSymmetric, 1e-5, lite0, {320, 1152, 1, 1}},
      {"tf_efficientnet_lite0", "efficientnet-lite0", Padding::kSame, 1e-3, lite0, {320, 1152, 1, 1}},
      {"convnext_tiny", "convnext-tiny", Padding::kSymmetric, 1e-5, "stages.2.blocks.8.gamma", {384}},
      {"vit_small_patch14_dinov2",
       "vit-small-14",
       Padding::kSymmetric,
       1e-5,
       "patch_embed.proj.weight",
       {384, 3, 14, 14}},
  };
  return known;
}

std::string architectures_of(const std::vector<KnownEncoder>& known) {
  std::vector<std::string_view> names;
  names.reserve(known.size());
  for (const KnownEncoder& one : known) names.push_back(one.architecture);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<KnownEncoder> candidates_for(const NamedTensors& tensors) {
  std::vector<KnownEncoder> candidates;
  std::ranges::copy_if(known_encoders(), std::back_inserter(candidates), [&](const KnownEncoder& one) {
    const auto found = tensors.find(std::string(one.tensor));
    return found != tensors.end() && found->second.sizes() == at::IntArrayRef(one.shape);
  });
  return candidates;
}

// "resnet50.a1_in1k" without its tag.
std::string_view without_tag(std::string_view architecture) {
  return architecture.substr(0, architecture.find('.'));
}

std::array<double, 3> three_numbers(const Json& config, std::string_view key, double least, const std::string& file) {
  const Json* const list = config.find(key);
  std::array<double, 3> numbers{};
  bool valid = list != nullptr && list->is_array() && list->size() == 3;
  for (size_t i = 0; valid && i < 3; ++i) {
    valid = list->at(i).is_number() && list->at(i).get<double>() >= least && list->at(i).get<double>() <= 1;
    if (valid) numbers.at(i) = list->at(i).get<double>();
  }
  if (!valid) {
    throw Error(fmt::format("{}: '{}' must be three numbers from {} to 1, one per color channel", file, key, least));
  }
  return numbers;
}

std::string optional_text(const Json& config, std::string_view key, const std::string& file) {
  const Json* const text = config.find(key);
  if (text == nullptr || text->is_null()) return {};
  if (!text->is_string()) throw Error(fmt::format("{}: '{}' must be a text", file, key));
  return text->text();
}

bool is_last_layer(const std::string& tensor, const std::string& layer) {
  return tensor == layer + ".weight" || tensor == layer + ".bias";
}

at::Tensor channel_values(const std::array<double, 3>& values) {
  return at::tensor(std::vector<double>(values.begin(), values.end())).view({3, 1, 1});
}

}  // namespace

EncoderConfig read_encoder_config(const fs::path& path) {
  const Json file = read_json_object(path);
  const std::string name = path.string();
  EncoderConfig config;
  config.architecture = optional_text(file, "architecture", name);
  if (config.architecture.empty()) throw Error(fmt::format("{}: 'architecture' is missing", name));
  const Json* const nested = file.find("pretrained_cfg");
  const Json& images = nested != nullptr && nested->is_object() ? *nested : file;
  config.mean = three_numbers(images, "mean", 0, name);
  config.deviation = three_numbers(images, "std", 0.01, name);
  const Json* const size = images.find("input_size");
  const bool valid = size != nullptr && size->is_array() && size->size() == 3 && size->at(0) == Json(3) &&
                     size->at(1).is_count() && size->at(1) == size->at(2) && size->at(1).get<int64_t>() >= 1 &&
                     size->at(1).get<int64_t>() <= kLargestInput;
  if (!valid) {
    throw Error(fmt::format("{}: 'input_size' must be [3, S, S] with the side S, 1 to {} pixels", name, kLargestInput));
  }
  config.image_size = size->at(1).get<int64_t>();
  const Json* const crop = images.find("crop_pct");
  if (crop != nullptr && (!crop->is_number() || crop->get<double>() < 0.1 || crop->get<double>() > 1)) {
    throw Error(fmt::format("{}: 'crop_pct' must be a number from 0.1 to 1", name));
  }
  if (crop != nullptr) config.crop = crop->get<double>();
  config.interpolation = optional_text(images, "interpolation", name);
  config.license = optional_text(images, "license", name);
  config.source = optional_text(images, "source", name);
  if (config.source.empty()) config.source = optional_text(images, "hf_hub_id", name);
  return config;
}

Encoder read_encoder(const fs::path& path, const fs::path& config) {
  const std::string file = path.string(), extension = path.extension().string();
  if (extension == ".pth" || extension == ".pt" || extension == ".bin") {
    throw Error(
        fmt::format("{}: weights in pickle format can run code and are not read; convert them with "
                    "'scripts/convert-encoder {} FOLDER'",
                    file, file));
  }
  Encoder encoder{.path = path, .sha256 = {}, .config = {}, .network = {}, .tensors = read_tensors(path)};
  std::erase_if(encoder.tensors, [](const auto& item) { return item.first.ends_with(".num_batches_tracked"); });
  const std::vector<KnownEncoder> candidates = candidates_for(encoder.tensors);
  if (candidates.empty()) {
    throw Error(fmt::format("{}: weights of an unknown network, with {} tensors such as '{}'; known networks: {}", file,
                            encoder.tensors.size(), encoder.tensors.empty() ? "" : encoder.tensors.begin()->first,
                            architectures_of(known_encoders())));
  }
  const fs::path beside = config.empty() ? path.parent_path() / "config.json" : config;
  if (config.empty() && !fs::exists(beside)) {
    throw Error(fmt::format(
        "{}: no config.json beside the weights of {}; get it from their publisher, or name it with "
        "--encoder-config: it says how images are prepared{}",
        file, architectures_of(candidates), candidates.size() > 1 ? ", and which of these networks it is" : ""));
  }
  encoder.config = read_encoder_config(beside);
  const auto chosen =
      std::ranges::find(candidates, without_tag(encoder.config.architecture), &KnownEncoder::architecture);
  if (chosen == candidates.end()) {
    throw Error(fmt::format("{}: 'architecture' is {}, which is not supported; the tensors of {} look like {}",
                            beside.string(), encoder.config.architecture, file, architectures_of(candidates)));
  }
  encoder.sha256 = file_digest(path);
  encoder.network.network = chosen->network;
  encoder.network.padding = chosen->padding;
  encoder.network.norm_epsilon = chosen->norm_epsilon;
  encoder.network.normalization.kind = InputNormalizationKind::kStandard;
  return encoder;
}

void load_encoder(const Network& network, const Encoder& encoder) {
  const std::string file = encoder.path.string(), last = network.layers().back().name;
  const torch::NoGradGuard no_grad;
  NamedTensors target = named_tensors(network), weights;
  for (const auto& [name, tensor] : encoder.tensors) {
    if (is_last_layer(name, last)) continue;
    if (!tensor.is_floating_point())
      throw Error(fmt::format("{}: tensor '{}' holds no floating-point numbers", file, name));
    weights[name] = tensor;
  }
  if (const auto positions = weights.find("pos_embed");
      positions != weights.end() && target.contains("pos_embed") && side_of_positions(positions->second) > 0) {
    const int64_t side = network.shape().image_size / VisionTransformer::kPatch;
    positions->second = resampled_positions(positions->second.to(at::kFloat), side);
  }
  // For pixels p in [0, 1] and x = 2 p - 1: (p - mean) / deviation = (x - (2 mean - 1)) / (2 deviation).
  weights["normalization.mean"] = channel_values(encoder.config.mean) * 2 - 1;
  weights["normalization.scale"] = 0.5 / channel_values(encoder.config.deviation);
  std::erase_if(target, [&](const auto& item) { return is_last_layer(item.first, last); });
  copy_named(target, weights, file);
}

}  // namespace frgan
