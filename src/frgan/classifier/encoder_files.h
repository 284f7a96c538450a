// Published weights on the user's disk: where they come from and where `frgan train` finds them. This header includes
// no LibTorch.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/io/download.h"

namespace frgan {

// A repository of timm on Hugging Face with the weights of a network.
struct EncoderSource {
  std::string_view network;     // "resnet18"
  std::string_view repository;  // "timm/resnet18.a1_in1k"
};
const std::vector<EncoderSource>& encoder_sources();

inline constexpr std::string_view kWeightsFile = "model.safetensors";
inline constexpr std::string_view kEncoderConfigFile = "config.json";
inline constexpr std::string_view kEncoderSite = "https://huggingface.co";

// The folder of the weights of a network below the cache folder.
std::filesystem::path encoder_folder(const std::filesystem::path& cache, std::string_view network);
// The weights in the cache, of the first network of encoder_sources() that is there.
std::optional<std::filesystem::path> cached_encoder(const std::filesystem::path& cache);

struct FetchedEncoder {
  std::filesystem::path weights;
  std::string sha256;
  std::string license;  // as config.json states it; empty: not stated
};

// Downloads weights and config.json of a network into encoder_folder(cache, network), and checks that they are the
// network's. Files that are already there are kept. `site` has the paths of Hugging Face. There is no digest to compare
// with: the caller shows the SHA-256. Throws an Error if a file cannot be downloaded or is of another network; a usage
// error if the network has no source.
FetchedEncoder fetch_encoder(std::string_view network, const std::filesystem::path& cache, std::string_view site,
                             const DownloadProgress& progress = {});

}  // namespace frgan
