// frgan data: inspects, downloads or converts a dataset, or shows augmented images.
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "app/cache_folder.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/notes.h"
#include "app/stop_signal.h"
#include "app/watch_loading.h"
#include "frgan/classifier/encoder_files.h"
#include "frgan/core/error.h"
#include "frgan/data/augmentation_grid.h"
#include "frgan/data/load_dataset.h"
#include "frgan/io/digests.h"
#include "frgan/io/download.h"
#include "frgan/io/files.h"
#include "frgan/report/image_grid.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInfoExamples[] = {"data info svhn", "data info my-images"};
constexpr std::string_view kFetchExamples[] = {"data fetch svhn", "data fetch encoder resnet18"};
constexpr std::string_view kConvertExamples[] = {"data convert --data my-images --image-size 32 my-images.safetensors"};

constexpr std::string_view kShowExamples[] = {"data show --data svhn --policy strong -o grid.png"};

void print_info(const DatasetInfo& data) {
  const bool converted = fs::path(data.source).extension() == ".safetensors";
  print_output("{} {} {}\n", one_line(data.name), converted ? "converted to" : "from", one_line(data.source));
  print_output("images {}x{}, {}\n", data.image_size, data.image_size, data.channels == 1 ? "gray" : "color");
  print_output("SHA-256 {}\n\n", data.digest);
  print_output("{:>9} {:>9}  class\n", "train", "test");
  for (size_t label = 0; label <= data.class_names.size(); ++label) {
    const bool known = label < data.class_names.size();
    const int64_t train = data.train_class_counts[label], test = data.test_class_counts[label];
    if (known || train + test > 0) {
      print_output("{:>9} {:>9}  {}\n", train, test, known ? one_line(data.class_names[label]) : "(no label)");
    }
  }
  print_output("{:>9} {:>9}  total\n", data.train_images, data.test_images);
}

// "train_32x32.mat: 45 % of 182 MB", redrawn on a terminal; nothing elsewhere.
DownloadProgress download_line(const std::string& name, bool quiet) {
  return [name, terminal = !quiet && isatty(STDERR_FILENO) == 1](int64_t received, int64_t total) {
    if (terminal && total > 0) {
      write_to_stderr("\r");
      print_message("{}: {} % of {} MB", name, received * 100 / total, (total + 999'999) / 1'000'000);
      if (received == total) print_message("\n");
    }
    return true;
  };
}

// The file in one of the places where the dataset is searched, if its content is right.
std::optional<fs::path> present_file(const DatasetKind& kind, const RemoteFile& file) {
  for (const std::string& folder : kind.folders) {
    const fs::path path = (data_root() / folder / file.name).lexically_normal();
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored) && file_digest(path) == file.sha256) return path;
  }
  return std::nullopt;
}

// Downloads the files of the dataset into `folder`. Without a folder, files that are found under the data root are kept
// and the others go to the dataset's own folder there.
void fetch(const DatasetKind& kind, const std::string& folder, bool quiet) {
  if (kind.downloads.empty()) throw usage_error(fmt::format("{} cannot be downloaded: {}", kind.name, kind.hint));
  const fs::path target = folder.empty() ? data_root() / kind.name : fs::path(folder);
  for (const RemoteFile& file : kind.downloads) {
    if (const auto present = folder.empty() ? present_file(kind, file) : std::nullopt) {
      if (!quiet) print_message("{} is already there\n", file.name);
      print_output("{}\n", one_line(present->string()));
      continue;
    }
    ensure_directory(target);
    if (!quiet) print_message("{}\n", file.url);
    download(file.url, target / file.name, file.sha256, download_line(file.name, quiet), {.bytes = file.bytes});
    print_output("{}\n", one_line((target / file.name).string()));
  }
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const DatasetKind& kind : dataset_kinds()) names.push_back(kind.name);
  return names;
}

std::vector<std::string> downloadable_names() {
  std::vector<std::string> names;
  for (const DatasetKind& kind : dataset_kinds()) {
    if (!kind.downloads.empty()) names.push_back(kind.name);
  }
  return names;
}

const DatasetKind& find_kind(const std::string& name) {
  for (const DatasetKind& kind : dataset_kinds()) {
    if (kind.name == name) return kind;
  }
  const std::vector<std::string> names = downloadable_names();
  throw usage_error(
      fmt::format("cannot download '{}'; available: {}{}", name, fmt::join(names, ", "), nearest_hint(name, names)));
}

int run_info(std::span<const std::string> arguments) {
  const std::vector<std::string> datasets = dataset_names();
  const Syntax syntax = {"data info",
                         "[DATASET]",
                         "Prints the number of images per class and split, the image size and the digest of a "
                         "dataset. DATASET is short for --data DATASET.",
                         0,
                         1,
                         {},
                         kInfoExamples,
                         datasets};
  DataOptions which;
  bool quiet = false;
  OptionSet options;
  describe(options, which);
  add_quiet(options, quiet);
  if (print_help(syntax, arguments, options)) return 0;
  const std::vector<std::string> words = read_arguments(syntax, arguments, options);
  if (!words.empty()) {
    if (options.find("data", "--data").given) throw usage_error("DATASET and --data: give one of them");
    options.find("data", "--data").set(words.front(), "--data");
  }
  const DatasetInfo data = dataset_info(which, data_root(), watch_loading(quiet));
  print_info(data);
  print_notes(data.notes, quiet);
  return 0;
}

// Downloads published weights of a network and prints what is known about them.
void fetch_weights(const std::string& network, const std::string& site, bool quiet) {
  const fs::path cache = cache_folder();
  if (cache.empty()) throw Error("no folder for the weights: set FRGAN_CACHE to one");
  const FetchedEncoder found = fetch_encoder(network, cache, site.empty() ? kEncoderSite : std::string_view(site),
                                             download_line(network, quiet));
  if (!quiet) {
    print_message("license: {}; there is no digest to compare with; SHA-256 of the weights: {}\n",
                  found.license.empty() ? "not stated" : one_line(found.license), found.sha256);
  }
  print_output("{}\n", one_line(found.weights.string()));
}

int run_fetch(std::span<const std::string> arguments) {
  const std::vector<std::string> datasets = downloadable_names();
  const Syntax syntax = {"data fetch",
                         "DATASET | encoder NETWORK",
                         "Downloads the files of a dataset from its authors' site and verifies them, or published "
                         "weights of a network (--encoder) from Hugging Face into the cache, $FRGAN_CACHE or "
                         "~/.cache/frgan. Resumes an interrupted download. Files that are already there are kept.",
                         1,
                         2,
                         {},
                         kFetchExamples,
                         datasets};
  std::string folder, site;
  bool quiet = false;
  OptionSet options;
  options.group("Data", /*saved=*/false);
  options.add("data-dir", folder,
              "Folder for the files; empty uses the dataset's folder in $FRGAN_DATA, else in data/.");
  options.add("site", site, "Site of the weights, such as a mirror of Hugging Face; empty: https://huggingface.co.");
  add_quiet(options, quiet);
  if (print_help(syntax, arguments, options)) return 0;
  const std::vector<std::string> words = read_arguments(syntax, arguments, options);
  if (words.front() == "encoder") {
    if (words.size() < 2) throw usage_error("missing network; for example: frgan data fetch encoder resnet18");
    fetch_weights(words[1], site, quiet);
    return 0;
  }
  if (words.size() > 1) throw usage_error(fmt::format("unexpected argument '{}'", words[1]));
  fetch(find_kind(words.front()), folder, quiet);
  return 0;
}

int run_convert(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"data convert",
                              "FILE.safetensors",
                              "Writes a dataset into one file, which loads faster (--data FILE.safetensors).",
                              1,
                              1,
                              {},
                              kConvertExamples};
  DataOptions which;
  bool quiet = false;
  OptionSet options;
  describe(options, which);
  add_quiet(options, quiet);
  if (print_help(kSyntax, arguments, options)) return 0;
  const fs::path output = read_arguments(kSyntax, arguments, options).front();
  if (output.extension() != ".safetensors") {
    throw usage_error(fmt::format("invalid file name '{}': must end in .safetensors", output.string()));
  }
  if (fs::exists(output)) throw Error(fmt::format("{}: already exists; remove it first", output.string()));
  stop_on_signals("\nstopping\n");
  print_notes(convert_dataset(which, data_root(), output, watch_loading(quiet)).notes, quiet);
  print_output("{}\n", one_line(output.string()));
  return 0;
}

int run_show(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"data show",
                              "",
                              "Writes a grid of training images with random augmentation. Each row begins with the "
                              "image itself.",
                              0,
                              0,
                              {},
                              kShowExamples};
  DataOptions which;
  AugmentationOptions augmentation;
  AugmentationGridOptions grid;
  std::string output;
  bool quiet = false;
  OptionSet options;
  options.group("Images", /*saved=*/false);
  options.add("output", output, "PNG file for the grid.");
  options.add("policy", grid.policy,
              "The augmentation: weak is --augmentation, strong is --strong-augmentation; noise, none, or the name of "
              "a policy of --policies.");
  options.add("count", grid.images, "Number of images, which are the rows.", Range<int64_t>{1, 100, "images"});
  options.add("views", grid.views, "Number of augmented views of each image.", Range<int64_t>{1, 50, "views"});
  options.add("seed", grid.seed, "Seed of the images and of their augmentation.", Range<int64_t>{0, INT64_MAX});
  describe(options, which);
  describe(options, augmentation);
  add_quiet(options, quiet);
  if (print_help(kSyntax, arguments, options)) return 0;
  read_arguments(kSyntax, arguments, options);
  if (fs::path(output).extension() != ".png") {
    throw usage_error(fmt::format("invalid --output '{}': give a file name that ends in .png", output));
  }
  const AugmentationGrid shown = augmentation_grid(which, augmentation, grid, data_root(), watch_loading(quiet));
  write_image_grid(output, {shown.pixels, shown.image_size, shown.channels}, grid.views + 1);
  print_output("{}\n", one_line(output));
  return 0;
}

constexpr Command kActions[] = {
    {"info", "Prints the contents of a dataset", run_info},
    {"fetch", "Downloads the files of a dataset", run_fetch},
    {"convert", "Writes a dataset into one file", run_convert},
    {"show", "Writes a grid of augmented images", run_show},
};

}  // namespace

int run_data(std::span<const std::string> arguments) {
  const std::string name = arguments.empty() ? "" : arguments.front();
  if (name == "--help" || name == "-h") {
    print_output("Usage: frgan data ACTION [OPTIONS]\n\nActions:\n");
    for (const Command& action : kActions) print_output("  {:<10} {}\n", action.name, action.summary);
    print_output("\nDatasets:\n");
    for (const DatasetKind& kind : dataset_kinds()) print_output("  {:<14} {}\n", kind.name, kind.summary);
    print_output("\nRun 'frgan data ACTION --help' for the options of an action.\n\nExamples:\n");
    for (const std::string_view example :
         {kInfoExamples[0], kFetchExamples[0], kConvertExamples[0], kShowExamples[0]}) {
      print_output("  frgan {}\n", example);
    }
    return 0;
  }
  std::vector<std::string> names;
  for (const Command& action : kActions) {
    if (name == action.name) return action.run(arguments.subspan(1));
    if (name.starts_with("--help-format=")) action.run(arguments);
    names.emplace_back(action.name);
  }
  if (name.starts_with("--help-format=")) return 0;
  throw usage_error(name.empty() ? "missing action: info, fetch, convert or show; see frgan data --help"
                                 : fmt::format("unknown action '{}'{}; available: info, fetch, convert, show", name,
                                               nearest_hint(name, names)));
}

}  // namespace frgan
