#include "frgan/classifier/encoder_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/classifier/encoder.h"
#include "frgan/core/error.h"
#include "frgan/core/options.h"
#include "frgan/io/files.h"

namespace frgan {

namespace fs = std::filesystem;

// In the order in which `frgan train` looks for them: networks that are fast on a CPU first.
const std::vector<EncoderSource>& encoder_sources() {
  static const std::vector<EncoderSource> sources{{"efficientnet-lite0", "timm/tf_efficientnet_lite0.in1k"},
                                                  {"resnet18", "timm/resnet18.a1_in1k"},
                                                  {"resnet50", "timm/resnet50.a1_in1k"},
                                                  {"convnext-tiny", "timm/convnext_tiny.fb_in22k_ft_in1k"},
                                                  {"vit-small-14", "timm/vit_small_patch14_dinov2.lvd142m"}};
  return sources;
}

fs::path encoder_folder(const fs::path& cache, std::string_view network) {
  return cache / "encoders" / network;
}

std::optional<fs::path> cached_encoder(const fs::path& cache) {
  for (const EncoderSource& source : encoder_sources()) {
    const fs::path folder = encoder_folder(cache, source.network);
    std::error_code ignored;
    if (fs::exists(folder / kWeightsFile, ignored) && fs::exists(folder / kEncoderConfigFile, ignored))
      return folder / kWeightsFile;
  }
  return std::nullopt;
}

FetchedEncoder fetch_encoder(std::string_view network, const fs::path& cache, std::string_view site,
                             const DownloadProgress& progress) {
  const auto source = std::ranges::find(encoder_sources(), network, &EncoderSource::network);
  if (source == encoder_sources().end()) {
    std::vector<std::string> names;
    for (const EncoderSource& known : encoder_sources()) names.emplace_back(known.network);
    throw usage_error(fmt::format("no published weights of '{}'; available: {}{}", network, fmt::join(names, ", "),
                                  nearest_hint(std::string(network), names)));
  }
  const fs::path folder = encoder_folder(cache, network);
  ensure_directory(folder);
  for (const std::string_view file : {kEncoderConfigFile, kWeightsFile}) {
    if (fs::exists(folder / file)) continue;
    const std::string url = fmt::format("{}/{}/resolve/main/{}", site, source->repository, file);
    download(url, folder / file, /*sha256=*/"", progress);
  }
  const Encoder encoder = read_encoder(folder / kWeightsFile);
  if (encoder.network.network != network) {
    throw Error(
        fmt::format("{}: the weights are of the network '{}', expected '{}'; remove the folder and fetch it again",
                    encoder.path.string(), encoder.network.network, network));
  }
  return {encoder.path, encoder.sha256, encoder.config.license};
}

}  // namespace frgan
