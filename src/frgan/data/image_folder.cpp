#include "frgan/data/image_folder.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/core/options.h"
#include "frgan/data/image_files.h"
#include "frgan/data/labels_table.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kShowEvery{200};

const char* files(size_t count) {
  return count == 1 ? "file" : "files";
}

// What the images of a folder are converted to.
struct FolderImages {
  int64_t size, channels;
  ResizeRule rule = ResizeRule::kArea;
};

// The readable images of a list of files, in its order, and the others.
struct DecodedImages {
  ImageSet set;
  std::vector<UnreadableImage> unreadable;
};

// Decodes all images. The names of the result are relative to `folder`.
DecodedImages decode(const ImageFiles& found, const fs::path& folder, const FolderImages& images_of,
                     const LoadWatch& watch) {
  const int64_t size = images_of.size, channels = images_of.channels;
  const auto count = static_cast<int64_t>(found.images.size());
  const int64_t bytes = size * size * channels;
  const at::Tensor images = at::empty({count, size, size, channels}, at::kByte);
  auto* const pixels = images.data_ptr<uint8_t>();
  std::vector<std::string> failures(found.images.size()), digests(found.images.size());
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
        const std::string file = read_file(found.images[i], kLargestImageFile);
        digests[i] = sha256(bytes_of(file));
        const std::vector<uint8_t> image =
            decode_image(bytes_of(file), size, channels, found.images[i].string(), images_of.rule);
        std::memcpy(pixels + i * bytes, image.data(), image.size());
      } catch (const Error& error) {
        failures[i] = error.what();
      }
    }
  });

  if (stopped) throw Error("stopped while images were loaded", ErrorKind::kStopped);
  watch.progress(count, count);

  DecodedImages decoded;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    const std::string name = found.images[i].lexically_relative(folder).string();
    if (!failures[i].empty()) {
      decoded.unreadable.push_back({name, found.labels[i], failures[i]});
      continue;
    }
    const auto row = static_cast<int64_t>(labels.size());
    if (row != i) std::memcpy(pixels + row * bytes, pixels + i * bytes, static_cast<size_t>(bytes));
    labels.push_back(found.labels[i]);
    decoded.set.files.push_back(name);
    decoded.set.digests.push_back(std::move(digests[i]));
  }
  const auto readable = static_cast<int64_t>(labels.size());
  decoded.set.images = images.narrow(0, 0, readable);
  decoded.set.labels = adopt(std::move(labels), {readable});
  return decoded;
}

// Notes the files that are not read.
void note_skipped(const ImageFiles& found, const std::vector<UnreadableImage>& unreadable,
                  std::vector<std::string>& notes) {
  std::vector<std::string> failures;
  failures.reserve(unreadable.size());
  for (const UnreadableImage& image : unreadable) failures.push_back(image.error);
  if (!failures.empty()) {
    notes.push_back(
        fmt::format("{} unreadable image {} skipped: {}", failures.size(), files(failures.size()), listed(failures)));
  }
  if (!found.other_files.empty()) {
    notes.push_back(fmt::format("{} {} skipped, not named .png, .jpg, .jpeg or .webp: {}", found.other_files.size(),
                                files(found.other_files.size()), listed(found.other_files)));
  }
}

// Decodes all images and notes the files that are skipped.
ImageSet decode_readable(const ImageFiles& found, const fs::path& folder, const FolderImages& images_of,
                         std::vector<std::string>& notes, const LoadWatch& watch) {
  DecodedImages decoded = decode(found, folder, images_of, watch);
  note_skipped(found, decoded.unreadable, notes);
  return std::move(decoded.set);
}

// The rows by label, unlabeled images last, then by the content of their files. Names order only copies of a file.
std::vector<int64_t> content_order(const ImageSet& set) {
  const int64_t* const labels = set.labels.data_ptr<int64_t>();
  std::vector<int64_t> rows(static_cast<size_t>(set.size()));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  std::ranges::sort(rows, {}, [&](int64_t row) {
    const auto i = static_cast<size_t>(row);
    return std::tuple(labels[row] < 0, labels[row], std::string_view(set.digests[i]), std::string_view(set.files[i]));
  });
  return rows;
}

// Notes files with the same content as another one. `copies` are "COPY (same as FILE)".
void note_copies(const std::vector<std::string>& copies, std::string_view what, std::vector<std::string>& notes) {
  if (copies.empty()) return;
  notes.push_back(fmt::format("{} {}: {}", counted(std::ssize(copies), "file"), what, listed(copies)));
}

// Orders the training images by content and keeps one of several files with the same content: the first in this order.
// Then neither names nor copies of files change the data.
void order_training_images(ImageSet& set, std::vector<std::string>& notes) {
  const int64_t* const labels = set.labels.data_ptr<int64_t>();
  std::map<std::string_view, int64_t> first;  // row by digest
  std::vector<int64_t> kept;
  std::vector<std::string> copies, contradictions;
  for (const int64_t row : content_order(set)) {
    const auto [same, is_new] = first.emplace(set.digests[static_cast<size_t>(row)], row);
    if (is_new) {
      kept.push_back(row);
      continue;
    }
    const bool contradicts = labels[row] >= 0 && labels[row] != labels[same->second];
    (contradicts ? contradictions : copies)
        .push_back(fmt::format("{} (same as {})", set.files[static_cast<size_t>(row)],
                               set.files[static_cast<size_t>(same->second)]));
  }
  note_copies(copies, "skipped, identical to another training image", notes);
  note_copies(contradictions, "skipped, identical to an image of another class; correct the labels", notes);
  set.keep_rows(kept);
}

// Notes test images that are also training images: their error says little about new images.
void note_trained_on(const ImageSet& train, const ImageSet& test, std::vector<std::string>& notes) {
  std::map<std::string_view, size_t> rows;
  for (size_t row = 0; row < train.digests.size(); ++row) rows.emplace(train.digests[row], row);
  std::vector<std::string> copies;
  for (size_t i = 0; i < test.digests.size(); ++i) {
    const auto same = rows.find(test.digests[i]);
    if (same != rows.end()) {
      copies.push_back(fmt::format("{} (same as {})", test.files[i], train.files[same->second]));
    }
  }
  note_copies(copies, "in both training and test data, which makes the test error too low", notes);
}

// Notes the class folders that are not among the known classes. `who` has the classes: "training".
void note_unknown(const fs::path& folder, const std::vector<UnknownClass>& unknown,
                  const std::vector<std::string>& known, std::string_view who, std::vector<std::string>& notes) {
  if (unknown.empty()) return;
  std::string note = fmt::format("{}: classes that {} does not know, not in the test error: {}", folder.string(), who,
                                 unknown_classes_text(unknown));
  for (const UnknownClass& other : unknown) {
    const std::string near = nearest_name(other.name, known);
    if (!near.empty()) note += fmt::format("; did you mean {} instead of {}?", near, other.name);
  }
  notes.push_back(std::move(note));
}

ImageFiles find_training(const fs::path& folder, Dataset& data) {
  const fs::path train = folder / "train";
  if (!is_folder(train)) {
    throw Error(fmt::format("{}: no folder 'train'; expected {}/CLASS/ with the images of each class", folder.string(),
                            train.string()));
  }
  ImageFiles found;
  for (const fs::path& class_folder : class_folders(train, found)) {
    const std::string name = class_folder.filename().string();
    if (quoted(name) != '"' + name + '"') {
      throw Error(
          fmt::format("{}: invalid class name {}; rename the folder to UTF-8 text without quotes, backslashes or "
                      "control characters",
                      train.string(), quoted(name)));
    }
    find_images(class_folder, data.classes(), found);
    data.class_names.push_back(name);
  }
  if (data.classes() < 2) {
    throw Error(fmt::format("{}: too few class folders: {}; at least 2 are needed", train.string(), data.classes()));
  }
  if (is_folder(folder / "unlabeled")) find_images(folder / "unlabeled", -1, found);
  return found;
}

// All images in the folder except those of test/, with the labels of the table. Sets the class names.
ImageFiles find_listed(const fs::path& folder, const fs::path& table, Dataset& data) {
  const std::vector<FileLabel> labels = read_labels_table(table);
  std::set<std::string> names;
  for (const FileLabel& entry : labels) names.insert(entry.label);
  data.class_names.assign(names.begin(), names.end());
  if (data.classes() < 2) {
    throw Error(fmt::format("{}: too few classes: {}; at least 2 are needed", table.string(), data.classes()));
  }
  ImageFiles found;
  for (const fs::path& entry : entries_of(folder)) {
    if (is_folder(entry)) {
      if (entry.filename() != "test") find_images(entry, /*label=*/-1, found);
    } else if (is_image_name(entry)) {
      found.images.push_back(entry);
      found.labels.push_back(-1);
    }
  }
  std::map<std::string, size_t> places;  // in `found`, by path, as it is and as csv_text escapes it
  std::vector<std::string> paths;
  for (size_t i = 0; i < found.images.size(); ++i) {
    paths.push_back(found.images[i].lexically_relative(folder).string());
    places.emplace(paths.back(), i);
    places.emplace(one_line(paths.back()), i);
  }
  for (const FileLabel& entry : labels) {
    const fs::path path = (folder / entry.file).lexically_normal();
    const std::string file = path.lexically_relative(folder.lexically_normal()).string();
    const auto place = places.find(file);
    if (place == places.end()) {
      throw Error(fmt::format("{}, line {}: {} {}{}", table.string(), entry.line, quoted(entry.file),
                              file.starts_with("test/") ? "is a test image, which training must not use"
                                                        : "is no image in " + folder.string(),
                              nearest_hint(entry.file, paths)));
    }
    found.labels[place->second] = std::distance(names.begin(), names.find(entry.label));
  }
  return found;
}

// The images of test/, without those of unknown classes.
ImageFiles find_test(const fs::path& test, Dataset& data) {
  ImageFiles found;
  const std::vector<UnknownClass> unknown = find_images_of_classes(test, data.class_names, found);
  note_unknown(test, unknown, data.class_names, "training", data.notes);
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
                          const fs::path& labels_table, ResizeRule rule) {
  check_image_shape(size, channels, fmt::format("{} with --image-size {}", folder.string(), size));
  Dataset data;
  data.name = "folder";
  data.source = folder.string();
  data.image_size = size;
  data.channels = channels;
  const FolderImages images_of{size, channels, rule};
  const bool has_table = !labels_table.empty();
  const ImageFiles found = has_table ? find_listed(folder, labels_table, data) : find_training(folder, data);
  data.train = decode_readable(found, folder, images_of, data.notes, watch);
  order_training_images(data.train, data.notes);
  const std::vector<int64_t> counts = class_counts(data.train, data.classes());
  for (size_t c = 0; c < data.class_names.size(); ++c) {
    if (counts[c] > 0) continue;
    throw Error(fmt::format("{}: no readable image in class {}{}",
                            has_table ? labels_table.string() : (folder / "train").string(), data.class_names[c],
                            data.notes.empty() ? "" : "; " + data.notes.front()));
  }
  if (!has_table) note_ignored_folders(folder, data);
  const fs::path test = folder / "test";
  if (is_folder(test)) {
    data.test = decode_readable(find_test(test, data), folder, images_of, data.notes, watch);
    data.test.keep_rows(content_order(data.test));
    note_trained_on(data.train, data.test, data.notes);
  }
  if (data.test.size() == 0) {
    data.notes.push_back(fmt::format("no test images in {}/CLASS/; no test error can be computed", test.string()));
  }
  finish_dataset(data);
  return data;
}

TestImages read_test_images(const fs::path& folder, const std::vector<std::string>& class_names, int64_t size,
                            int64_t channels, const LoadWatch& watch, ResizeRule rule) {
  const bool has_class_test = std::find(class_names.begin(), class_names.end(), "test") != class_names.end();
  const fs::path inner = folder / "test";
  const bool is_dataset = is_folder(folder / "train");
  if (is_dataset && !is_folder(inner)) {
    throw Error(
        fmt::format("{}: no test images: has train/ but no test/; name other data with --data, or use the "
                    "development images with --on dev",
                    folder.string()));
  }
  const fs::path classes = is_folder(inner) && (is_dataset || !has_class_test) ? inner : folder;
  TestImages test;
  ImageFiles found;
  test.unknown_classes = find_images_of_classes(classes, class_names, found);
  note_unknown(classes, test.unknown_classes, class_names, "the network", test.notes);
  if (found.images.empty()) {
    throw Error(fmt::format("{}: no test images of the {} classes of the network: {}; expected {}/CLASS/ with images",
                            classes.string(), class_names.size(), listed(class_names), classes.string()));
  }
  DecodedImages decoded = decode(found, folder, {size, channels, rule}, watch);
  note_skipped(found, decoded.unreadable, test.notes);
  if (decoded.set.size() == 0) {
    throw Error(fmt::format("{}: no readable test image; {}", classes.string(), test.notes.back()));
  }
  test.set = std::move(decoded.set);
  test.unreadable = std::move(decoded.unreadable);
  return test;
}

LooseImages read_loose_images(const fs::path& folder, int64_t size, int64_t channels, ResizeRule rule) {
  ImageFiles found;
  find_images(folder, /*label=*/-1, found);
  LooseImages loose;
  loose.images = decode_readable(found, folder, {size, channels, rule}, loose.notes, {}).images;
  if (loose.images.size(0) == 0) {
    throw Error(fmt::format("{}: no readable .png, .jpg, .jpeg or .webp file in this folder{}", folder.string(),
                            loose.notes.empty() ? "" : "; " + loose.notes.front()));
  }
  return loose;
}

}  // namespace frgan
