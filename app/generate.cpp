// frgan generate: images from the generator of a run.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/notes.h"
#include "frgan/classifier/generation.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/report/image_grid.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kLargestGrid = 10'000;

constexpr std::string_view kGenerateExamples[] = {
    "generate runs/a grid.png",
    "generate runs/a samples --separate --count 1000",
    "generate runs/m1m2 sevens.png --class 7",
};

constexpr Syntax kGenerateSyntax = {
    "generate",
    "CHECKPOINT OUTPUT",
    "Generates images with the generator of a run. OUTPUT is one PNG with a grid of all images, "
    "or with --separate a folder with one PNG per image.",
    2,
    2,
    {},
    kGenerateExamples};

struct GenerateOptions {
  GenerationOptions images;
  int64_t columns = 0;
  bool separate = false;
  bool quiet = false;
};

void describe(OptionSet& options, GenerateOptions& generate) {
  options.group("Images", /*saved=*/false);
  options.add("count", generate.images.count, "Number of images.", Range<int64_t>{1, 1'000'000, "images"});
  options.add("seed", generate.images.seed, "Seed of the noise; the same seed gives the same images.",
              Range<int64_t>{0, INT64_MAX});
  options.add("class", generate.images.label,
              "Class of all images, by name or number, for class-conditional generators; empty: each class in turn.");
  options.add(
      "columns", generate.columns,
      "Number of columns of the grid; 0 makes a square grid, with a class per column if the classes take turns.",
      Range<int64_t>{0, kLargestGrid, "columns"});
  options.add("separate", generate.separate, "Writes one file per image: OUTPUT/000000.png, 000001.png and so on.");
  describe(options, generate.images.hardware);
  add_quiet(options, generate.quiet);
}

void check_output(const GenerateOptions& options, const fs::path& output) {
  if (options.separate) {
    if (fs::exists(output) && !(fs::is_directory(output) && fs::is_empty(output))) {
      throw Error(fmt::format("{}: already exists; give a new or empty folder for separate images", output.string()));
    }
    return;
  }
  if (output.extension() != ".png") {
    throw usage_error(fmt::format("invalid output '{}': a grid is a .png file; use --separate for a folder of images",
                                  output.string()));
  }
  if (options.images.count > kLargestGrid) {
    throw usage_error(
        fmt::format("invalid --count {}: a grid holds at most {} images; use --separate for one file per image",
                    options.images.count, kLargestGrid));
  }
}

// Columns of a grid that is about square. With classes in turn, each column shows one class.
int64_t columns_of(int64_t count, int64_t classes) {
  const double side = std::sqrt(static_cast<double>(count));
  if (classes == 0) return static_cast<int64_t>(std::ceil(side));
  return classes * std::max<int64_t>(1, std::llround(side / static_cast<double>(classes)));
}

}  // namespace

int run_generate(std::span<const std::string> arguments) {
  GenerateOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kGenerateSyntax, arguments, set)) return 0;
  const std::vector<std::string> words = read_arguments(kGenerateSyntax, arguments, set);
  const fs::path output = words[1];
  check_output(options, output);
  const Messages messages = printed_messages(options.quiet);
  if (options.separate) {
    generate_images(
        words[0], options.images,
        [&](const ImageView& images, int64_t first) { write_separate_images(output, images, first); }, messages);
  } else {
    std::vector<uint8_t> pixels;
    ImageView all;
    const int64_t classes = generate_images(
        words[0], options.images,
        [&](const ImageView& images, int64_t) {
          pixels.insert(pixels.end(), images.pixels.begin(), images.pixels.end());
          all = {{}, images.image_size, images.channels};
        },
        messages);
    all.pixels = pixels;
    write_image_grid(output, all, options.columns > 0 ? options.columns : columns_of(options.images.count, classes));
  }
  print_output("{}\n", one_line(output.string()));
  return 0;
}

}  // namespace frgan
