// Which training images show their labels: the heart of a run with few labels, written to a file and given back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/core/options.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_noise.h"

namespace frgan {

struct SplitOptions {
  int64_t labels = 0;  // in all; 0: every label that is known
  std::string label_mode = "balanced";
  int64_t split_seed = 1;
  std::string labels_file = "";  // a split that was written; it takes the place of the options above
  int64_t dev_images = 0;
  int64_t train_images = 0;  // 0: all
  LabelNoiseOptions noise{};
};
void describe(OptionSet& options, SplitOptions& split);

// Rows are those of Dataset::train, ascending. Labeled images stay among the unlabeled; development images are set
// apart for tuning: training sees neither them nor their labels. An image without a known label is never either.
struct LabelSplit {
  std::string data_digest;   // of the dataset that the rows belong to
  int64_t train_images = 0;  // its size
  std::string mode;          // how it was drawn, for people; "all" where every label is seen
  int64_t seed = 0;
  std::vector<int64_t> labeled;
  std::vector<int64_t> dev;
  std::vector<int64_t> kept;       // what training sees of the set, labeled and not; empty: all but `dev`
  std::vector<int64_t> shown;      // labels that `labeled` show where some are wrong; empty: the true ones
  LabelNoiseOptions noise;         // how they came to be wrong
  std::vector<int64_t> counts;     // labeled images of each class, by their true labels
  std::string digest;              // SHA-256 over digest and rows
  std::vector<std::string> notes;  // classes that got no label
};

// Draws a split, or reads `labels_file`. With the same data, split seed, mode and development images, a smaller
// number of labels gives a subset of the larger. Modes:
//   balanced      labels / K of each class; a number that K does not divide is a usage error that names the nearest
//   proportional  as the classes are in the data (Webster's method)
//   random        evenly from all images
// Development images are drawn first, evenly from all images with a label; then those that are kept for training,
// where they are limited, evenly from all others. Label noise comes last. Throws a usage error where there are fewer
// images than asked for (in the mode balanced: of one class).
LabelSplit split_labels(const Dataset& data, const SplitOptions& options);

// {"format": "frgan label split 1", "data_digest": ..., "labeled": [rows], "dev": [rows], "digest": ...}, and where
// they are not empty "kept": [rows] and "shown": [labels], with "label_noise": {"level", "kind", "seed"}.
nlohmann::ordered_json label_split_json(const LabelSplit& split);
// Checks it against the data; `name` stands for the file in errors. Of the keys, format, data_digest, train_images
// and labeled are needed; a person who edits the rows takes "digest" out.
LabelSplit label_split_from_json(const nlohmann::json& json, const Dataset& data, std::string_view name);

// As a file, one key a line.
void write_label_split(const std::filesystem::path& path, const LabelSplit& split);
LabelSplit read_label_split(const std::filesystem::path& path, const Dataset& data);

}  // namespace frgan
