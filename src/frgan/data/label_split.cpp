#include "frgan/data/label_split.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/data/label_noise.h"
#include "frgan/device/random.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

using Rows = std::vector<int64_t>;

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

// Valid as long as `data`.
KnownLabels known_labels(const Dataset& data) {
  return {{data.train.labels.data_ptr<int64_t>(), static_cast<size_t>(data.train.size())},
          data.class_names,
          data.digest,
          fmt::format("{}, {}x{}x{},", data.source, data.image_size, data.image_size, data.channels),
          data.train.digests,
          data.train.files};
}

// All training rows in the random order of a part. If the images are files, the order of two of them depends on their
// content only, so that it stays if other files are added. Otherwise it is a permutation of the rows.
Rows random_order(const Dataset& data, int64_t seed, uint64_t part) {
  const uint64_t key = random_key(static_cast<uint64_t>(seed), Stream::kLabelSplit, 0, part);
  const int64_t count = data.train.size();
  if (data.train.digests.empty()) {
    const at::Tensor order = random_permutation(count, key);
    return {order.data_ptr<int64_t>(), order.data_ptr<int64_t>() + count};
  }
  constexpr size_t kDigits = 16;  // of the digest: the 64 bits that select the random number
  std::vector<std::tuple<uint64_t, std::string_view, int64_t>> places;
  for (int64_t row = 0; row < count; ++row) {
    const std::string& digest = data.train.digests[static_cast<size_t>(row)];
    places.emplace_back(random_bits(key, std::stoull(digest.substr(0, kDigits), nullptr, 16)), digest, row);
  }
  std::sort(places.begin(), places.end());
  Rows rows;
  for (const auto& place : places) rows.push_back(std::get<int64_t>(place));
  return rows;
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
  const int64_t* const labels = data.train.labels.data_ptr<int64_t>();
  Rows rows = random_order(data, seed, part);
  std::erase_if(rows, [=](int64_t row) { return labels[row] < 0; });
  return rows;
}

// Draws the rows that the training may use from all rows except the development images.
Rows kept_rows(const Dataset& data, const SplitOptions& options, const Rows& dev) {
  Rows rows = random_order(data, options.split_seed, kKeptPart);
  std::erase_if(rows, [&](int64_t row) { return std::binary_search(dev.begin(), dev.end(), row); });
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
  finish_label_split(split, known_labels(data));
  return split;
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
  options.add(
      "labels-file", split.labels_file,
      "File labels.json of another run, whose label split is used instead of drawing one. Or a table of labels, "
      "FILE.csv with the header file,label, for an image folder without class folders; images that it does not "
      "list are unlabeled.");
  options.add("dev-images", split.dev_images, "Number of labeled training images held out for tuning.",
              Range<int64_t>{0, 1'000'000'000, "images"});
  options.add("train-images", split.train_images,
              "Number of training images to use, labeled and unlabeled, drawn uniformly; 0 uses all.",
              Range<int64_t>{0, 1'000'000'000, "images"});
  describe(options, split.noise);
}

LabelSplit split_labels(const Dataset& data, const SplitOptions& options) {
  if (!options.is_written()) return draw(data, options);
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
  finish_label_split(split, known_labels(data));
  return split;
}

LabelSplit label_split_from_json(const Json& json, const Dataset& data, std::string_view name) {
  return label_split_from_json(json, known_labels(data), name);
}

LabelSplit read_label_split(const std::filesystem::path& path, const Dataset& data) {
  return label_split_from_json(read_json_object(path), data, path.string());
}

}  // namespace frgan
