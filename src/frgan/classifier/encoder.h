// Published weights of the networks for photos, from files with the names of timm.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/nn/named_tensors.h"
#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// How the publisher prepares images, and where the weights come from (config.json of timm).
struct EncoderConfig {
  std::string architecture;      // timm's name: "resnet50", "tf_efficientnet_lite0"
  int64_t image_size = 224;      // pixels a side
  std::array<double, 3> mean{};  // of the channels, for pixels in [0, 1]
  std::array<double, 3> deviation{};
  double crop = 1;              // share of the side of the resized image that the network sees
  std::string interpolation;    // "bicubic" or "bilinear"
  std::string license, source;  // as the publisher states them; empty: not stated
};

// Throws an Error that names the file and the key if a value is missing or invalid.
EncoderConfig read_encoder_config(const std::filesystem::path& path);

struct Encoder {
  std::filesystem::path path;
  std::string sha256;  // of the file
  EncoderConfig config;
  NetworkOptions network;  // the network, padding, epsilon and normalization that the weights need
  NamedTensors tensors;
};

// Reads the weights and recognizes their network from names and shapes of tensors. `config` is the path of the
// config.json; empty: that beside the file. Throws an Error if the file is not safetensors, the network is unknown, or
// the config is missing or names another network.
//
//   const Encoder encoder = read_encoder("resnet18/model.safetensors");
//   const NetworkPtr network = create_network(encoder.network, {.image_size = 224, .classes = 3}, seed);
//   load_encoder(*network, encoder);
Encoder read_encoder(const std::filesystem::path& path, const std::filesystem::path& config = {});

// Copies the weights into a network that was created with `encoder.network`, and sets its normalization. The last layer
// keeps its initial weights, because its classes are others. Position embeddings are interpolated to the network's
// image size. Throws an Error that names the first tensor that does not fit, and changes nothing then.
void load_encoder(const Network& network, const Encoder& encoder);

}  // namespace frgan
