#include "frgan/data/label_split.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/label_noise.h"
#include "frgan/device/random.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

using Rows = std::vector<int64_t>;

constexpr const char* kFormat = "frgan label split 1";
const Words<LabelMode> kLabelModes{"balanced", "proportional", "random"};
constexpr uint64_t kLabeledPart = 0, kDevPart = 1, kKeptPart = 2;  // each part has its own random order

// Labels per class for the mode "proportional", by Webster's method: each label goes to the class with the largest
// quotient images / (2 labels + 1). No class gets fewer labels when the total grows, so smaller splits are subsets of
// larger ones.
Rows proportional_counts(const Rows& images, int64_t labels) {
  Rows counts(images.size());
  for (int64_t given = 0; given < labels; ++given) {
    size_t best = 0;
    for (size_t c = 1; c < images.size(); ++c) {
      if (images[c] * (2 * counts[best] + 1) > images[best] * (2 * counts[c] + 1)) best = c;
    }
    ++counts[best];
  }
  return counts;
}

// Labels per class for the mode "balanced".
Rows balanced_counts(const Dataset& data, const Rows& images, int64_t labels) {
  const int64_t classes = data.classes();
  if (labels % classes != 0) {
    const int64_t above = (labels / classes + 1) * classes;
    const std::string nearest =
        labels > classes ? fmt::format("{} or {}", above - classes, above) : fmt::format("{}", above);
    throw usage_error(
        fmt::format("--labels {}: not a multiple of the {} classes; use {}, or --label-mode proportional or random",
                    labels, classes, nearest));
  }
  const int64_t each = labels / classes;
  for (size_t c = 0; c < images.size(); ++c) {
    if (images[c] >= each) continue;
    const int64_t most = *std::min_element(images.begin(), images.end()) * classes;
    throw usage_error(fmt::format(
        "--labels {}: needs {} labeled images per class, but class {} has {}; use {}--label-mode proportional", labels,
        each, quoted(data.class_names[c]), images[c], most > 0 ? fmt::format("at most {}, or ", most) : ""));
  }
  return Rows(images.size(), each);
}

// For each class, the first `wanted` rows in this order.
Rows take_by_class(const Rows& order, const int64_t* labels, Rows wanted) {
  Rows taken;
  for (const int64_t row : order) {
    if (wanted[labels[row]]-- > 0) taken.push_back(row);
  }
  return taken;
}

// The labeled rows, in the random order of the split seed.
Rows known_rows(const Dataset& data, int64_t seed, uint64_t part) {
  const int64_t count = data.train.size();
  const at::Tensor order =
      random_permutation(count, random_key(static_cast<uint64_t>(seed), Stream::kLabelSplit, 0, part));
  const int64_t* const labels = data.train.labels.data_ptr<int64_t>();
  Rows rows;
  std::copy_if(order.data_ptr<int64_t>(), order.data_ptr<int64_t>() + count, std::back_inserter(rows),
               [=](int64_t row) { return labels[row] >= 0; });
  return rows;
}

// Number of shown labels that differ from the true ones.
int64_t wrong_labels(const LabelSplit& split, const Dataset& data) {
  const int64_t* const labels = data.train.labels.data_ptr<int64_t>();
  int64_t wrong = 0;
  for (size_t i = 0; i < split.shown.size(); ++i) wrong += split.shown[i] != labels[split.labeled[i]] ? 1 : 0;
  return wrong;
}

// Sets the fields that follow from the rows and the data: digests, counts, notes.
void finish(LabelSplit& split, const Dataset& data) {
  split.data_digest = data.digest;
  split.train_images = data.train.size();
  split.counts.assign(data.class_names.size(), 0);
  const int64_t* const labels = data.train.labels.data_ptr<int64_t>();
  for (const int64_t row : split.labeled) ++split.counts[labels[row]];
  for (size_t c = 0; c < split.counts.size(); ++c) {
    if (split.counts[c] > 0) continue;
    split.notes.push_back(fmt::format("class {} has no labeled image", quoted(data.class_names[c])));
  }
  if (!split.shown.empty()) {
    const int64_t wrong = wrong_labels(split, data);
    split.notes.push_back(fmt::format("label noise: {} of {} labels are wrong ({:.1f} %)", wrong, split.labeled.size(),
                                      100 * static_cast<double>(wrong) / static_cast<double>(split.labeled.size())));
  }
  std::string text = fmt::format("{}\n{}\n{}\nlabeled {}\ndev {}\n", kFormat, split.data_digest, split.train_images,
                                 fmt::join(split.labeled, " "), fmt::join(split.dev, " "));
  if (!split.kept.empty()) text += fmt::format("kept {}\n", fmt::join(split.kept, " "));
  if (!split.shown.empty()) text += fmt::format("shown {}\n", fmt::join(split.shown, " "));
  split.digest = sha256(bytes_of(text));
}

// Draws the rows that the training may use from all rows except the development images.
Rows kept_rows(const Dataset& data, const SplitOptions& options, const Rows& dev) {
  const int64_t count = data.train.size();
  const at::Tensor order = random_permutation(
      count, random_key(static_cast<uint64_t>(options.split_seed), Stream::kLabelSplit, 0, kKeptPart));
  Rows rows;
  std::copy_if(order.data_ptr<int64_t>(), order.data_ptr<int64_t>() + count, std::back_inserter(rows),
               [&](int64_t row) { return !std::binary_search(dev.begin(), dev.end(), row); });
  if (options.train_images > std::ssize(rows)) {
    throw usage_error(fmt::format("--train-images {}: {} has only {} training images{}", options.train_images,
                                  data.source, rows.size(), dev.empty() ? "" : ", excluding the development images"));
  }
  rows.resize(static_cast<size_t>(options.train_images));
  std::sort(rows.begin(), rows.end());
  return rows;
}

void make_labels_noisy(LabelSplit& split, const Dataset& data, const LabelNoiseOptions& noise) {
  // Before the check of the level, so that an invalid file is an error even at level 0.
  const NoiseMatrix matrix = noise_matrix(noise.kind, data.classes());
  if (noise.level == 0) return;
  if (!split.shown.empty())
    throw usage_error("--label-noise: the labels file already contains label noise; omit the option");
  split.noise = noise;
  Rows labels;
  for (const int64_t row : split.labeled) labels.push_back(data.train.labels.data_ptr<int64_t>()[row]);
  split.shown = noisy_labels(labels, matrix, noise.level, noise.seed);
}

LabelSplit draw(const Dataset& data, const SplitOptions& options) {
  LabelSplit split;
  split.mode = options.labels == 0 ? "all" : kLabelModes.words[static_cast<size_t>(options.label_mode)];
  split.seed = options.split_seed;

  Rows dev = known_rows(data, options.split_seed, kDevPart);
  if (dev.empty()) throw Error(fmt::format("{}: no training image has a label", data.source));
  if (options.dev_images >= std::ssize(dev)) {
    throw usage_error(
        fmt::format("--dev-images {}: {} has only {} labeled training images, and some must remain for training",
                    options.dev_images, data.source, dev.size()));
  }
  dev.resize(static_cast<size_t>(options.dev_images));
  std::sort(dev.begin(), dev.end());

  if (options.train_images > 0) split.kept = kept_rows(data, options, dev);
  Rows order = known_rows(data, options.split_seed, kLabeledPart);
  std::erase_if(order, [&](int64_t row) {
    return std::binary_search(dev.begin(), dev.end(), row) ||
           (!split.kept.empty() && !std::binary_search(split.kept.begin(), split.kept.end(), row));
  });
  if (options.labels > std::ssize(order)) {
    throw usage_error(fmt::format("--labels {}: {} has only {} labeled training images{}; use --labels 0 for all",
                                  options.labels, data.source, order.size(),
                                  dev.empty() ? "" : ", excluding the development images"));
  }
  const int64_t* const labels = data.train.labels.data_ptr<int64_t>();
  if (options.labels > 0 && options.label_mode == LabelMode::kRandom) {
    order.resize(static_cast<size_t>(options.labels));
  } else if (options.labels > 0) {
    Rows images(data.class_names.size());
    for (const int64_t row : order) ++images[labels[row]];
    order = take_by_class(order, labels,
                          options.label_mode == LabelMode::kBalanced ? balanced_counts(data, images, options.labels)
                                                                     : proportional_counts(images, options.labels));
  }
  std::sort(order.begin(), order.end());
  split.labeled = std::move(order);
  split.dev = std::move(dev);
  make_labels_noisy(split, data, options.noise);
  finish(split, data);
  return split;
}

// The rows under `key`, sorted. Checks that each one is a labeled training image and occurs once.
Rows read_rows(const Json& json, const char* key, const Dataset& data, std::string_view name) {
  const Json& list = json.at(key);
  if (!list.is_array()) throw Error(fmt::format("{}: '{}' is not a list of rows", name, key));
  const int64_t* const labels = data.train.labels.data_ptr<int64_t>();
  Rows rows;
  for (const Json& item : list) {
    const int64_t row = item.is_count() ? item.get<int64_t>() : -1;
    if (row < 0 || row >= data.train.size()) {
      constexpr size_t kShown = 60;
      throw Error(fmt::format("{}: '{}' contains {}; rows must be 0 to {}", name, key, item.dump().substr(0, kShown),
                              data.train.size() - 1));
    }
    if (labels[row] < 0) {
      throw Error(fmt::format("{}: '{}' contains row {}, an unlabeled image", name, key, row));
    }
    rows.push_back(row);
  }
  std::sort(rows.begin(), rows.end());
  const auto twice = std::adjacent_find(rows.begin(), rows.end());
  if (twice != rows.end()) throw Error(fmt::format("{}: '{}' contains row {} twice", name, key, *twice));
  return rows;
}

// Reads the rows that the training may use. They must include the labeled rows, but no development images.
void read_kept(LabelSplit& split, const Json& list, const Dataset& data, std::string_view name) {
  split.kept = list.get<Rows>();
  const Rows& kept = split.kept;
  const bool ascending = std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end();
  if (!ascending || (!kept.empty() && (kept.front() < 0 || kept.back() >= data.train.size()))) {
    throw Error(fmt::format("{}: 'kept' must be a list of ascending rows from 0 to {}", name, data.train.size() - 1));
  }
  for (const int64_t row : split.dev) {
    if (!std::binary_search(kept.begin(), kept.end(), row)) continue;
    throw Error(fmt::format("{}: row {} is in both 'kept' and 'dev'", name, row));
  }
  if (!kept.empty() && !std::includes(kept.begin(), kept.end(), split.labeled.begin(), split.labeled.end())) {
    throw Error(fmt::format("{}: a row of 'labeled' is missing in 'kept'", name));
  }
}

// Reads the shown labels and the label noise.
void read_shown(LabelSplit& split, const Json& json, const Dataset& data, std::string_view name) {
  split.shown = json.at("shown").get<Rows>();
  if (json.at("labeled").get<Rows>() != split.labeled || split.shown.size() != split.labeled.size()) {
    throw Error(
        fmt::format("{}: 'shown' needs one label per row of 'labeled', and 'labeled' in ascending order", name));
  }
  for (const int64_t label : split.shown) {
    if (label >= 0 && label < data.classes()) continue;
    throw Error(fmt::format("{}: 'shown' contains {}; classes must be 0 to {}", name, label, data.classes() - 1));
  }
  const Json noise = json.value("label_noise", Json::object());
  split.noise = {noise.value("level", 0.0), noise.value("kind", std::string("file")), noise.value("seed", int64_t{0})};
}

}  // namespace

void describe(OptionSet& options, SplitOptions& split) {
  options.group("Labels");
  options.add("labels", split.labels, "Number of labeled training images; 0 uses all labels.",
              Range<int64_t>{0, 1'000'000'000, "images"});
  options.add(
      "label-mode", split.label_mode,
      "How labeled images are drawn: balanced (the same number per class), proportional (to the class frequencies), "
      "or random (uniformly from all images).",
      kLabelModes);
  options.add("split-seed", split.split_seed, "Seed for drawing the labeled and development images.",
              Range<int64_t>{0, std::numeric_limits<int64_t>::max()});
  options.add("labels-file", split.labels_file,
              "File labels.json of another run, whose label split is used instead of drawing one.");
  options.add("dev-images", split.dev_images, "Number of labeled training images held out for tuning.",
              Range<int64_t>{0, 1'000'000'000, "images"});
  options.add("train-images", split.train_images,
              "Number of training images to use, labeled and unlabeled, drawn uniformly; 0 uses all.",
              Range<int64_t>{0, 1'000'000'000, "images"});
  describe(options, split.noise);
}

LabelSplit split_labels(const Dataset& data, const SplitOptions& options) {
  if (options.labels_file.empty()) return draw(data, options);
  LabelSplit split = read_label_split(options.labels_file, data);
  if (options.labels != 0 && options.labels != std::ssize(split.labeled)) {
    throw usage_error(fmt::format("--labels {}: --labels-file {} has {}; omit one of the two options", options.labels,
                                  options.labels_file, split.labeled.size()));
  }
  if (options.dev_images != 0 && options.dev_images != std::ssize(split.dev)) {
    throw usage_error(fmt::format("--dev-images {}: --labels-file {} has {}; omit one of the two options",
                                  options.dev_images, options.labels_file, split.dev.size()));
  }
  if (options.train_images != 0 && options.train_images != std::ssize(split.kept)) {
    throw usage_error(fmt::format("--train-images {}: --labels-file {} has {}; omit one of the two options",
                                  options.train_images, options.labels_file, split.kept.size()));
  }
  make_labels_noisy(split, data, options.noise);
  split.notes.clear();
  finish(split, data);
  return split;
}

Json label_split_json(const LabelSplit& split) {
  Json json = {{"format", kFormat},
               {"data_digest", split.data_digest},
               {"train_images", split.train_images},
               {"mode", split.mode},
               {"seed", split.seed},
               {"counts", split.counts},
               {"digest", split.digest},
               {"labeled", split.labeled},
               {"dev", split.dev}};
  if (!split.kept.empty()) json["kept"] = split.kept;
  if (!split.shown.empty()) {
    json["shown"] = split.shown;
    json["label_noise"] = {{"level", split.noise.level}, {"kind", split.noise.kind}, {"seed", split.noise.seed}};
  }
  return json;
}

LabelSplit label_split_from_json(const Json& json, const Dataset& data, std::string_view name) try {
  if (!json.is_object() || json.value("format", "") != kFormat) {
    throw Error(fmt::format("{}: not a frgan label split; expected an object with \"format\": \"{}\"", name, kFormat));
  }
  const auto images = json.at("train_images").get<int64_t>();
  const auto digest = json.at("data_digest").get<std::string>();
  if (images != data.train.size() || digest != data.digest) {
    throw Error(
        fmt::format("{}: label split of other data: {} training images, digest {:.12}; {} has {}, digest {:.12}, at "
                    "{}x{}x{}; use the same data, --image-size and --channels",
                    name, images, digest, data.source, data.train.size(), data.digest, data.image_size, data.image_size,
                    data.channels));
  }
  LabelSplit split;
  split.mode = json.value("mode", "file");
  split.seed = json.value("seed", int64_t{0});
  split.labeled = read_rows(json, "labeled", data, name);
  if (split.labeled.empty()) throw Error(fmt::format("{}: 'labeled' is empty; at least one row is needed", name));
  if (json.contains("dev")) split.dev = read_rows(json, "dev", data, name);
  Rows both;
  std::set_intersection(split.labeled.begin(), split.labeled.end(), split.dev.begin(), split.dev.end(),
                        std::back_inserter(both));
  if (!both.empty()) {
    throw Error(fmt::format("{}: row {} is in both 'labeled' and 'dev'", name, both.front()));
  }
  if (json.contains("kept")) read_kept(split, json.at("kept"), data, name);
  if (json.contains("shown")) read_shown(split, json, data, name);
  finish(split, data);
  if (json.contains("digest") && json.at("digest") != split.digest) {
    throw Error(fmt::format(
        "{}: the rows do not match the digest; if you changed them on purpose, remove the key 'digest'", name));
  }
  return split;
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: incomplete or invalid label split ({})", name, error.what()));
}

void write_label_split(const std::filesystem::path& path, const LabelSplit& split) {
  const Json json = label_split_json(split);
  std::string text = "{";
  for (const auto& [key, value] : json.items()) {
    text += fmt::format("{}\n  \"{}\": {}", text.size() == 1 ? "" : ",", key, value.dump());
  }
  write_file_safely(path, text + "\n}\n");
}

LabelSplit read_label_split(const std::filesystem::path& path, const Dataset& data) {
  return label_split_from_json(read_json_object(path), data, path.string());
}

}  // namespace frgan
