#include "frgan/data/image_folder.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/core/options.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kShowEvery{200};
constexpr size_t kMostNamed = 10;  // files that a note names; others are only counted

// Files found in the folders: images with their labels, in order, and the names of other files.
struct Found {
  std::vector<fs::path> images;
  std::vector<int64_t> labels;
  std::vector<std::string> other_files;
};

// False also for paths that cannot be accessed.
bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with(".");
}

// The entries of a folder without hidden ones, sorted.
std::vector<fs::path> entries_of(const fs::path& folder) try {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!is_hidden(entry.path())) entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
} catch (const fs::filesystem_error& error) {
  throw Error(fmt::format("{}: cannot list the folder: {}", folder.string(), error.code().message()));
}

// Adds the files in a folder and its subfolders. Links to folders are not followed.
void find_files(const fs::path& folder, int64_t label, Found& found) {
  for (const fs::path& entry : entries_of(folder)) {
    if (is_folder(entry) && !fs::is_symlink(entry)) {
      find_files(entry, label, found);
    } else if (is_image_name(entry)) {
      found.images.push_back(entry);
      found.labels.push_back(label);
    } else {
      found.other_files.push_back(entry.string());
    }
  }
}

// The class folders in train/ or test/. Throws an Error if an image lies next to them.
std::vector<fs::path> class_folders(const fs::path& role, Found& found) {
  std::vector<fs::path> folders;
  for (const fs::path& entry : entries_of(role)) {
    if (is_folder(entry)) {
      folders.push_back(entry);
    } else if (is_image_name(entry)) {
      throw Error(fmt::format("{}: image outside the class folders; expected {}/CLASS/{}", entry.string(),
                              role.string(), entry.filename().string()));
    } else {
      found.other_files.push_back(entry.string());
    }
  }
  return folders;
}

std::string listed(const std::vector<std::string>& names) {
  const size_t count = std::min(names.size(), kMostNamed);
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(count), "; "));
  if (names.size() > count) text += fmt::format("; and {} more", names.size() - count);
  return text;
}

const char* files(size_t count) {
  return count == 1 ? "file" : "files";
}

// What the images of a folder are converted to.
struct FolderImages {
  int64_t size, channels;
  ResizeRule rule = ResizeRule::kArea;
};

// Decodes all images. Unreadable images and other files are skipped and named in the notes.
ImageSet decode(const Found& found, const fs::path& folder, const FolderImages& images_of,
                std::vector<std::string>& notes, const LoadWatch& watch) {
  const int64_t size = images_of.size, channels = images_of.channels;
  const auto count = static_cast<int64_t>(found.images.size());
  const int64_t bytes = size * size * channels;
  const at::Tensor images = at::empty({count, size, size, channels}, at::kByte);
  auto* const pixels = images.data_ptr<uint8_t>();
  std::vector<std::string> failures(found.images.size());
  std::atomic<int64_t> done = 0;
  std::atomic<bool> stopped = false;
  const std::thread::id caller = std::this_thread::get_id();
  auto last_shown = std::chrono::steady_clock::now();
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end && !stopped; ++i, ++done) {
      if (watch.stopped && watch.stopped()) stopped = true;
      const auto now = std::chrono::steady_clock::now();
      if (std::this_thread::get_id() == caller && now - last_shown > kShowEvery) {
        watch.progress(done, count);
        last_shown = now;
      }
      try {
        const std::vector<uint8_t> image = read_image(found.images[i], size, channels, images_of.rule);
        std::memcpy(pixels + i * bytes, image.data(), image.size());
      } catch (const Error& error) {
        failures[i] = error.what();
      }
    }
  });

  if (stopped) throw Error("stopped while images were loaded", ErrorKind::kStopped);
  watch.progress(count, count);

  std::vector<int64_t> labels;
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) {
    if (!failures[i].empty()) continue;
    const auto row = static_cast<int64_t>(labels.size());
    if (row != i) std::memcpy(pixels + row * bytes, pixels + i * bytes, static_cast<size_t>(bytes));
    labels.push_back(found.labels[i]);
    names.push_back(found.images[i].lexically_relative(folder).string());
  }
  std::erase(failures, "");
  if (!failures.empty()) {
    notes.push_back(
        fmt::format("{} unreadable image {} skipped: {}", failures.size(), files(failures.size()), listed(failures)));
  }
  if (!found.other_files.empty()) {
    notes.push_back(fmt::format("{} {} skipped, not named .png, .jpg, .jpeg or .webp: {}", found.other_files.size(),
                                files(found.other_files.size()), listed(found.other_files)));
  }
  const auto readable = static_cast<int64_t>(labels.size());
  return {images.narrow(0, 0, readable), adopt(std::move(labels), {readable}), std::move(names)};
}

Found find_training(const fs::path& folder, Dataset& data) {
  const fs::path train = folder / "train";
  if (!is_folder(train)) {
    throw Error(fmt::format("{}: no folder 'train'; expected {}/CLASS/ with the images of each class", folder.string(),
                            train.string()));
  }
  Found found;
  for (const fs::path& class_folder : class_folders(train, found)) {
    const std::string name = class_folder.filename().string();
    if (quoted(name) != '"' + name + '"') {
      throw Error(
          fmt::format("{}: invalid class name {}; rename the folder to UTF-8 text without quotes, backslashes or "
                      "control characters",
                      train.string(), quoted(name)));
    }
    find_files(class_folder, data.classes(), found);
    data.class_names.push_back(name);
  }
  if (data.classes() < 2) {
    throw Error(fmt::format("{}: too few class folders: {}; at least 2 are needed", train.string(), data.classes()));
  }
  if (is_folder(folder / "unlabeled")) find_files(folder / "unlabeled", -1, found);
  return found;
}

Found find_test(const fs::path& test, const Dataset& data) {
  Found found;
  for (const fs::path& class_folder : class_folders(test, found)) {
    const std::string name = class_folder.filename().string();
    const auto known = std::find(data.class_names.begin(), data.class_names.end(), name);
    if (known == data.class_names.end()) {
      const std::string near = nearest_name(name, data.class_names);
      throw Error(fmt::format("{}: class {} is not in train/{}", test.string(), quoted(name),
                              near.empty() ? fmt::format("; the classes are {}", fmt::join(data.class_names, ", "))
                                           : fmt::format("; did you mean {}?", near)));
    }
    find_files(class_folder, known - data.class_names.begin(), found);
  }
  return found;
}

// Notes folders that are not read: a misspelled unlabeled/ would lose most of the images.
void note_ignored_folders(const fs::path& folder, Dataset& data) {
  const std::vector<std::string> known = {"train", "unlabeled", "test"};
  for (const fs::path& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    if (!is_folder(entry) || std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string near = nearest_name(name, known);
    data.notes.push_back(fmt::format("folder {} is ignored; only train, unlabeled and test are read{}", quoted(name),
                                     near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
}

}  // namespace

Dataset read_image_folder(const fs::path& folder, int64_t size, int64_t channels, const LoadWatch& watch,
                          ResizeRule rule) {
  check_image_shape(size, channels, fmt::format("{} with --image-size {}", folder.string(), size));
  Dataset data;
  data.name = "folder";
  data.source = folder.string();
  data.image_size = size;
  data.channels = channels;
  data.train = decode(find_training(folder, data), folder, {size, channels, rule}, data.notes, watch);
  const std::vector<int64_t> counts = class_counts(data.train, data.classes());
  for (size_t c = 0; c < data.class_names.size(); ++c) {
    if (counts[c] > 0) continue;
    throw Error(fmt::format("{}: no readable image in class folder {}{}", (folder / "train").string(),
                            data.class_names[c], data.notes.empty() ? "" : "; " + data.notes.front()));
  }
  note_ignored_folders(folder, data);
  const fs::path test = folder / "test";
  if (is_folder(test)) {
    data.test = decode(find_test(test, data), folder, {size, channels, rule}, data.notes, watch);
  }
  if (data.test.size() == 0) {
    data.notes.push_back(fmt::format("no test images in {}/CLASS/; no test error can be computed", test.string()));
  }
  finish_dataset(data);
  return data;
}

LooseImages read_loose_images(const fs::path& folder, int64_t size, int64_t channels) {
  Found found;
  find_files(folder, /*label=*/-1, found);
  LooseImages loose;
  loose.images = decode(found, folder, {size, channels}, loose.notes, {}).images;
  if (loose.images.size(0) == 0) {
    throw Error(fmt::format("{}: no readable .png, .jpg, .jpeg or .webp file in this folder{}", folder.string(),
                            loose.notes.empty() ? "" : "; " + loose.notes.front()));
  }
  return loose;
}

}  // namespace frgan
