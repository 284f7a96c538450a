// frgan generate: new images from the generator of a run.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/inference.h"
#include "frgan/classifier/generation.h"
#include "frgan/core/error.h"
#include "frgan/report/image_grid.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestGrid = 10'000;

constexpr Syntax kSyntax = {"generate", "CHECKPOINT OUTPUT",
                            "Writes images that the generator of a run makes: one PNG with all of them, OUTPUT, or "
                            "with --separate a PNG for each in the folder OUTPUT.",
                            2, 2};

struct GenerateOptions {
  int64_t count = 100;
  int64_t seed = 1;
  int64_t columns = 0;
  bool separate = false;
  InferenceOptions inference;
};

void describe(OptionSet& options, GenerateOptions& generate) {
  options.group("Images", /*saved=*/false);
  options.add("count", generate.count, "How many.", Range<int64_t>{1, 1'000'000});
  options.add("seed", generate.seed, "Of the noise: the same seed gives the same images.",
              Range<int64_t>{0, INT64_MAX});
  options.add("columns", generate.columns, "Images in a row of the grid; 0: as many as rows.",
              Range<int64_t>{0, kLargestGrid});
  options.add("separate", generate.separate, "A file for each image: OUTPUT/000000.png and so on.");
  describe(options, generate.inference);
}

void check_output(const GenerateOptions& options, const fs::path& output) {
  if (options.separate) {
    if (fs::exists(output) && !(fs::is_directory(output) && fs::is_empty(output))) {
      throw Error(fmt::format("{}: is there already; give a new or empty folder for separate images", output.string()));
    }
    return;
  }
  if (output.extension() != ".png") {
    throw usage_error(
        fmt::format("'{}' does not end in .png; the images of a grid are one PNG, and --separate "
                    "writes a folder",
                    output.string()));
  }
  if (options.count > kLargestGrid) {
    throw usage_error(fmt::format("--count {}: a grid holds up to {}; --separate writes a file for each", options.count,
                                  kLargestGrid));
  }
}

}  // namespace

int run_generate(std::span<const std::string> arguments) {
  GenerateOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kSyntax, arguments, set)) return 0;
  const std::vector<std::string> words = read_arguments(kSyntax, arguments, set);
  const fs::path output = words[1];
  check_output(options, output);
  const Checkpoint checkpoint = load_checkpoint_aloud(words[0]);
  const Inference inference = begin_inference(options.inference, checkpoint.state);
  const LoadedMethod loaded = load_generator(checkpoint, inference.device, inference.precision);
  std::vector<at::Tensor> blocks;
  for (int64_t first = 0; first < options.count; first += kGeneratedBlock) {
    const at::Tensor images = generated_block(loaded, options.seed, first / kGeneratedBlock)
                                  .narrow(0, 0, std::min(kGeneratedBlock, options.count - first));
    if (options.separate) {
      write_separate_images(output, images, first);
    } else {
      blocks.push_back(images.cpu());
    }
  }
  if (!options.separate) {
    const auto square = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(options.count))));
    write_image_grid(output, at::cat(blocks), options.columns > 0 ? options.columns : square);
  }
  fmt::print("{}\n", output.string());
  return 0;
}

}  // namespace frgan
