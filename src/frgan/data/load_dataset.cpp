#include "frgan/data/load_dataset.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/image_shape.h"
#include "frgan/core/stop_check.h"
#include "frgan/data/dataset.h"
#include "frgan/data/image_folder.h"
#include "frgan/data/mnist.h"
#include "frgan/data/safetensors_set.h"
#include "frgan/data/svhn.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

const DatasetKind* find_kind(const std::string& name) {
  const std::vector<DatasetKind>& kinds = dataset_kinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const DatasetKind& k) { return k.name == name; });
  return kind == kinds.end() ? nullptr : &*kind;
}

// The folder of a dataset: the first candidate that contains one of its files.
fs::path find_folder(const DatasetKind& kind, const DataOptions& options, const fs::path& root) {
  std::vector<fs::path> places;
  if (options.data_dir.empty()) {
    for (const std::string& folder : kind.folders) places.push_back(root / folder);
  } else {
    places = {options.data_dir, fs::path(options.data_dir) / kind.name};
  }
  std::vector<std::string> names;
  std::error_code ignored;
  for (const fs::path& place : places) {
    for (const std::string& file : kind.files) {
      if (fs::exists(place / file, ignored)) return place.lexically_normal();
    }
    names.push_back(place.lexically_normal().string());
  }
  throw Error(
      fmt::format("{}: {} not found in {}; {}", kind.name, kind.files.front(), fmt::join(names, " or "), kind.hint));
}

Dataset load_kind(const DatasetKind& kind, const DataOptions& options, const fs::path& root, const LoadWatch& watch) {
  if (!kind.files.empty()) return kind.load(find_folder(kind, options, root), options, watch);
  if (options.data_dir.empty()) throw usage_error(fmt::format("--data {}: {}", kind.name, kind.hint));
  return kind.load(options.data_dir, options, watch);
}

// The kind of dataset for `--data PATH`: "safetensors" for a file, "folder" for a folder.
const DatasetKind& kind_of_path(const DataOptions& options) {
  const fs::path path = options.data;
  std::error_code ignored;
  const bool is_set = fs::is_regular_file(path, ignored) && path.extension() == ".safetensors";
  if (!is_set && !fs::is_directory(path, ignored)) {
    std::vector<std::string> names;
    for (const DatasetKind& kind : dataset_kinds()) names.push_back(kind.name);
    const std::string near = nearest_name(options.data, names);
    const char* const problem = fs::exists(path, ignored) ? "not a folder or .safetensors file" : "no such path";
    throw usage_error(fmt::format("--data {}: {}, and not a built-in dataset; {}built-in: {}", options.data, problem,
                                  near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                                  fmt::join(names, ", ")));
  }
  if (!options.data_dir.empty()) {
    throw usage_error(
        fmt::format("--data {}: cannot be a path together with --data-dir {}; omit one of the two options",
                    options.data, options.data_dir));
  }
  return *find_kind(is_set ? "safetensors" : "folder");
}

// Throws a usage error for a table of labels if the data is no image folder.
void check_labels_table(const DataOptions& options, const DatasetKind& kind) {
  if (options.labels_table.empty() || kind.name == "folder") return;
  throw usage_error(fmt::format("--labels-file {}: a table of labels needs an image folder; --data is {}",
                                options.labels_table, options.data));
}

DatasetInfo info_of(const Dataset& data) {
  return {.name = data.name,
          .source = data.source,
          .digest = data.digest,
          .image_size = data.image_size,
          .channels = data.channels,
          .class_names = data.class_names,
          .train_images = data.train.size(),
          .test_images = data.test.size(),
          .train_class_counts = class_counts(data.train, data.classes()),
          .test_class_counts = class_counts(data.test, data.classes()),
          .notes = data.notes};
}

}  // namespace

void describe(OptionSet& options, DataOptions& data) {
  std::vector<std::string> names;
  for (const DatasetKind& kind : dataset_kinds()) names.push_back(kind.name);
  options.group("Data");
  const std::string help =
      fmt::format("Dataset ({}), or the path of an image folder or a .safetensors file.", fmt::join(names, ", "));
  options.add("data", data.data, help, Suggestions{std::move(names)});
  options.add("data-dir", data.data_dir,
              "Folder with the files of the dataset; if empty, searched under $FRGAN_DATA or data/.");
  options.add("image-size", data.image_size,
              "Side of the square images in pixels, a multiple of 8 from 16; 0 keeps the dataset's size. For an image "
              "folder, 0 means 32, or the size that --encoder prefers.",
              Range<int64_t>{0, kLargestImage, "pixels"});
  options.add("channels", data.channels,
              "Number of channels: 1 (gray) or 3 (RGB); 0 keeps the dataset's number, or 3 for an image folder.",
              Range<int64_t>{0, 3, "channels"});
}

DataOptions with_absolute_paths(DataOptions options) {
  if (find_kind(options.data) == nullptr) options.data = fs::absolute(options.data).lexically_normal().string();
  if (!options.data_dir.empty()) options.data_dir = fs::absolute(options.data_dir).lexically_normal().string();
  return options;
}

const std::vector<DatasetKind>& dataset_kinds() {
  static const std::vector<DatasetKind> kinds = {
      {.name = "svhn",
       .summary = "Street View House Numbers, 32x32 RGB, 73,257 training and 26,032 test images of 10 digits.",
       .files = {"train_32x32.mat", "test_32x32.mat"},
       .folders = {"svhn", "."},
       .downloads = {{"train_32x32.mat", "http://ufldl.stanford.edu/housenumbers/train_32x32.mat", 182'040'794,
                      "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"},
                     {"test_32x32.mat", "http://ufldl.stanford.edu/housenumbers/test_32x32.mat", 64'275'384,
                      "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"}},
       .hint = "download it with 'frgan data fetch svhn', or give its folder with --data-dir or FRGAN_DATA",
       .allows_flips = false,
       .load = [](const fs::path& folder, const DataOptions&, const LoadWatch&) { return read_svhn(folder); }},
      {.name = "mnist",
       .summary = "Handwritten digits, 28x28 gray padded to 32x32, 60,000 training and 10,000 test images.",
       .files = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"},
       .folders = {"mnist"},
       .downloads = {},
       .hint = "download the four idx files of MNIST, and give their folder with --data-dir",
       .allows_flips = false,
       .load = [](const fs::path& folder, const DataOptions&, const LoadWatch&) { return read_mnist(folder); }},
      {.name = "fashion-mnist",
       .summary = "Clothing, 28x28 gray padded to 32x32, 60,000 training and 10,000 test images of 10 classes.",
       .files = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"},
       .folders = {"fashion-mnist", "/usr/share/datasets/fashion-mnist"},
       .downloads = {},
       .hint = "install it with 'apt install dataset-fashion-mnist', or give its folder with --data-dir or FRGAN_DATA",
       .load = [](const fs::path& folder, const DataOptions&, const LoadWatch&) { return read_fashion_mnist(folder); }},
      {.name = "folder",
       .summary = "Your own images: --data-dir contains train/CLASS/*, and optionally unlabeled/* and test/CLASS/*.",
       .files = {},
       .folders = {},
       .downloads = {},
       .hint = "give the folder that contains train/CLASS/* with --data-dir",
       .load =
           [](const fs::path& folder, const DataOptions& options, const LoadWatch& watch) {
             return read_image_folder(folder, options.image_size == 0 ? 32 : options.image_size,
                                      options.channels == 0 ? 3 : options.channels, watch, options.labels_table,
                                      options.resize);
           }},
      {.name = "safetensors",
       .summary = "A file written by 'frgan data convert'; --data-dir is its path.",
       .files = {},
       .folders = {},
       .downloads = {},
       .hint = "give the file with --data-dir",
       .load = [](const fs::path& path, const DataOptions&, const LoadWatch&) { return read_safetensors_set(path); }},
  };
  return kinds;
}

Dataset load_dataset(const DataOptions& options, const fs::path& data_root, const LoadWatch& watch) {
  const DatasetKind* const named = find_kind(options.data);
  DataOptions wanted = options;
  if (named == nullptr) {
    const DatasetKind& kind = kind_of_path(options);
    wanted.data_dir = options.data;
    wanted.data = kind.name;
  }
  check_labels_table(options, *find_kind(wanted.data));
  Dataset data = load_kind(*find_kind(wanted.data), wanted, data_root, watch);
  if (options.image_size != 0 && options.image_size != data.image_size) {
    throw usage_error(fmt::format("--image-size {}: {} has images of {}x{}; only image folders are resized",
                                  options.image_size, data.source, data.image_size, data.image_size));
  }
  if (options.channels != 0 && options.channels != data.channels) {
    throw usage_error(fmt::format("--channels {}: {} has {}; only image folders are converted", options.channels,
                                  data.source, data.channels));
  }
  return data;
}

std::optional<fs::path> image_folder_of(const DataOptions& options) {
  const bool is_path = find_kind(options.data) == nullptr;
  if (is_path ? !options.data_dir.empty() : options.data != "folder") return std::nullopt;
  const fs::path folder = is_path ? options.data : options.data_dir;
  std::error_code ignored;
  if (folder.empty() || !fs::is_directory(folder, ignored)) return std::nullopt;
  return folder;
}

DatasetInfo dataset_info(const DataOptions& options, const fs::path& data_root, const LoadWatch& watch) {
  return info_of(load_dataset(options, data_root, watch));
}

DatasetInfo convert_dataset(const DataOptions& options, const fs::path& data_root, const fs::path& output,
                            const LoadWatch& watch) {
  const Dataset data = load_dataset(options, data_root, watch);
  throw_if_stopped(watch.stopped, "images were loaded");
  write_safetensors_set(output, data);
  if (watch.stopped && watch.stopped()) fs::remove(output);
  throw_if_stopped(watch.stopped, "the file was written");
  return info_of(data);
}

}  // namespace frgan
