#include "frgan/train/encoder_options.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/image_shape.h"
#include "frgan/train/run_command.h"

namespace frgan {
namespace {

// Sets an option that the weights determine. Another value is an error if the user gave it.
void determine(OptionSet& options, const std::string& name, const Json& value, const Encoder& encoder) {
  Option& option = options.find(name, "--encoder");
  const Json before = option.value();
  const bool given = std::exchange(option.given, false);
  option.set(value, "--encoder");
  if (!given || before == option.value()) return;
  throw usage_error(fmt::format("{} cannot be combined with --encoder {}, whose weights need {}; remove --{}",
                                one_line(argument_of(name, before)), encoder.path.string(),
                                argument_of(name, option.value()), name));
}

}  // namespace

Encoder use_encoder(RunRequest& request) {
  RunOptions& run = request.run;
  Encoder encoder = read_encoder(run.encoder.file, run.encoder.config);
  if (!run.encoder.sha256.empty() && run.encoder.sha256 != encoder.sha256) {
    throw Error(fmt::format("{}: other weights than expected: the SHA-256 is {}, but --encoder-sha256 is {}",
                            encoder.path.string(), encoder.sha256, run.encoder.sha256));
  }
  run.encoder.sha256 = encoder.sha256;
  if (!request.options.contains("network")) {
    throw usage_error(
        fmt::format("--encoder cannot be combined with --method {}, which has its own networks; use "
                    "--method linear, fixmatch or mean-teacher",
                    run.method));
  }
  OptionSet needed;
  NetworkOptions network = encoder.network;
  describe(needed, network);
  for (const char* name : {"network", "width", "padding", "norm-epsilon", "normalization"}) {
    determine(request.options, name, needed.find(name, "--encoder").value(), encoder);
  }
  const bool is_folder = run.data.data == "folder" || std::filesystem::is_directory(run.data.data);
  if (is_folder && run.data.image_size == 0) run.data.image_size = nearest_image_size(encoder.config.image_size);
  if (is_folder && run.data.channels == 0) run.data.channels = 3;
  return encoder;
}

Json provenance_of(const Encoder& encoder) {
  return {{"file", encoder.path.string()},
          {"sha256", encoder.sha256},
          {"architecture", encoder.config.architecture},
          {"license", encoder.config.license},
          {"source", encoder.config.source}};
}

std::string provenance_text(const Json& provenance) {
  const auto stated = [&](const char* key) {
    const std::string text = provenance.value(key, "");
    return text.empty() ? std::string("not stated") : text;
  };
  return fmt::format("{} (license: {}, source: {})", stated("architecture"), stated("license"), stated("source"));
}

}  // namespace frgan
