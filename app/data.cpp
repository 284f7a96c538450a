// frgan data: looks into a dataset, fetches the files of one, or makes one file of one.
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/data_root.h"
#include "frgan/core/error.h"
#include "frgan/data/load_dataset.h"
#include "frgan/data/safetensors_set.h"
#include "frgan/io/download.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Notes of the readers: unreadable files, no test set.
void print_notes(const Dataset& data) {
  for (const std::string& note : data.notes) fmt::print(stderr, "note: {}\n", note);
}

void print_info(const Dataset& data) {
  fmt::print("{} from {}\n", data.name, data.source);
  fmt::print("images {}x{}, {}\n", data.image_size, data.image_size, data.channels == 1 ? "grey" : "colour");
  fmt::print("SHA-256 {}\n\n", data.digest);
  const std::vector<int64_t> train = class_counts(data.train, data.classes());
  const std::vector<int64_t> test = class_counts(data.test, data.classes());
  fmt::print("{:>9} {:>9}  class\n", "train", "test");
  for (size_t label = 0; label <= data.class_names.size(); ++label) {
    const bool known = label < data.class_names.size();
    if (known || train[label] + test[label] > 0) {
      fmt::print("{:>9} {:>9}  {}\n", train[label], test[label], known ? data.class_names[label] : "(no label)");
    }
  }
  fmt::print("{:>9} {:>9}  in all\n", data.train.size(), data.test.size());
}

// "train_32x32.mat: 45 % of 182 MB", drawn anew on a terminal and silent elsewhere.
DownloadProgress download_line(const std::string& name) {
  return [name, terminal = isatty(STDERR_FILENO) == 1](int64_t received, int64_t total) {
    if (terminal && total > 0) {
      fmt::print(stderr, "\r{}: {} % of {} MB", name, received * 100 / total, (total + 999'999) / 1'000'000);
      if (received == total) fmt::print(stderr, "\n");
    }
    return true;
  };
}

void fetch(const DatasetKind& kind, const fs::path& folder) {
  if (kind.downloads.empty()) throw usage_error(fmt::format("{} cannot be fetched: {}", kind.name, kind.hint));
  ensure_directory(folder);
  for (const RemoteFile& file : kind.downloads) {
    fmt::print(stderr, "{}\n", file.url);
    download(file.url, folder / file.name, file.md5, download_line(file.name));
    fmt::print("{}\n", (folder / file.name).string());
  }
}

const DatasetKind& find_kind(const std::string& name) {
  std::vector<std::string> names;
  for (const DatasetKind& kind : dataset_kinds()) {
    if (kind.name == name) return kind;
    if (!kind.downloads.empty()) names.push_back(kind.name);
  }
  throw usage_error(
      fmt::format("'{}' cannot be fetched, only {}{}", name, fmt::join(names, ", "), nearest_hint(name, names)));
}

int run_info(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"data info", "",
                              "Says what is in a dataset: images of each class and role, size, digest."};
  DataOptions which;
  OptionSet options;
  describe(options, which);
  if (print_help(kSyntax, arguments, options)) return 0;
  read_arguments(kSyntax, arguments, options);
  const Dataset data = load_dataset(which, data_root());
  print_info(data);
  print_notes(data);
  return 0;
}

int run_fetch(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"data fetch", "NAME",
                              "Gets the files of a dataset from its authors' site, checks them, and goes on where a "
                              "broken download ended.",
                              1, 1};
  std::string folder;
  OptionSet options;
  options.group("Data");
  options.add("data-dir", folder, "Folder for the files; else the dataset's own under $FRGAN_DATA or data/.");
  if (print_help(kSyntax, arguments, options)) return 0;
  const DatasetKind& kind = find_kind(read_arguments(kSyntax, arguments, options).front());
  fetch(kind, folder.empty() ? data_root() / kind.name : fs::path(folder));
  return 0;
}

int run_convert(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"data convert", "FILE.safetensors",
                              "Writes a dataset as one file, which is read in a moment (--data FILE.safetensors).", 1,
                              1};
  DataOptions which;
  OptionSet options;
  describe(options, which);
  if (print_help(kSyntax, arguments, options)) return 0;
  const fs::path output = read_arguments(kSyntax, arguments, options).front();
  if (output.extension() != ".safetensors") {
    throw usage_error(fmt::format("'{}' does not end in .safetensors, by which it is known later", output.string()));
  }
  if (fs::exists(output)) throw Error(fmt::format("{}: is already there; remove it first", output.string()));
  const Dataset data = load_dataset(which, data_root());
  write_safetensors_set(output, data);
  print_notes(data);
  fmt::print("{}\n", output.string());
  return 0;
}

constexpr Command kActions[] = {
    {"info", "says what is in a dataset", run_info},
    {"fetch", "gets its files from its authors' site", run_fetch},
    {"convert", "makes one file of it", run_convert},
};

}  // namespace

int run_data(std::span<const std::string> arguments) {
  const std::string name = arguments.empty() ? "" : arguments.front();
  if (name == "--help" || name == "-h") {
    fmt::print("Usage: frgan data ACTION [OPTIONS]\n\nActions:\n");
    for (const Command& action : kActions) fmt::print("  {:<10} {}\n", action.name, action.summary);
    fmt::print("\nDatasets:\n");
    for (const DatasetKind& kind : dataset_kinds()) fmt::print("  {:<14} {}\n", kind.name, kind.summary);
    fmt::print("\nfrgan data ACTION --help says more.\n");
    return 0;
  }
  std::vector<std::string> names;
  for (const Command& action : kActions) {
    if (name == action.name) return action.run(arguments.subspan(1));
    if (name == "--help-markdown") action.run(arguments);
    names.emplace_back(action.name);
  }
  if (name == "--help-markdown") return 0;
  throw usage_error(name.empty() ? "frgan data needs info, fetch or convert; see frgan data --help"
                                 : fmt::format("'{}' is no action of frgan data{} (known are info, fetch, convert)",
                                               name, nearest_hint(name, names)));
}

}  // namespace frgan
