// The label split: which training images are labeled, drawn at random or read from a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/data/data_options.h"
#include "frgan/data/dataset.h"

namespace frgan {

// Rows are indices into Dataset::train, in ascending order. Labeled images are also used as unlabeled ones. Development
// images are held out for tuning: training uses neither the images nor their labels. Images without a label in the data
// are never labeled or development images.
struct LabelSplit {
  std::string data_digest;   // digest of the dataset
  int64_t train_images = 0;  // training images of the dataset
  std::string mode;          // how it was drawn, for information; "all" if all labels are used
  int64_t seed = 0;
  std::vector<int64_t> labeled;
  std::vector<int64_t> dev;
  std::vector<int64_t> kept;       // rows used for training, labeled and unlabeled; empty: all but `dev`
  std::vector<int64_t> shown;      // labels given to `labeled`, with label noise; empty: the true ones
  LabelNoiseOptions noise;         // the label noise in `shown`
  std::vector<int64_t> counts;     // labeled images per class, by true label
  std::string digest;              // SHA-256 over data_digest, rows and shown labels
  std::vector<std::string> notes;  // for the user: classes without a labeled image, wrong labels
};

// Draws a split, or reads `labels_file`. With the same data, split seed, mode and development images, a smaller number
// of labels is a subset of a larger one. Modes:
//   balanced      labels / K per class; if K does not divide `labels`, a usage error names the nearest multiples
//   proportional  proportional to the class frequencies in the data (Webster's method)
//   random        uniform over all images
// Development images are drawn first, uniformly from all labeled images. If train_images limits the training set, it is
// drawn next, uniformly from all other images. Label noise is applied last. Throws a usage error if there are too few
// images (in mode balanced: of any class).
LabelSplit split_labels(const Dataset& data, const SplitOptions& options);

// The split as {"format": "frgan label split 1", "data_digest": ..., "labeled": [rows], "dev": [rows], "digest": ...}.
// If they are not empty, "kept": [rows] and "shown": [labels] with "label_noise": {"level", "kind", "seed"} are added.
Json label_split_json(const LabelSplit& split);
// Reads a split and checks it against the data; `name` is the file's name in errors. Required keys: format,
// data_digest, train_images, labeled. After editing the rows by hand, remove the key "digest".
LabelSplit label_split_from_json(const Json& json, const Dataset& data, std::string_view name);

// Writes and reads the split as a JSON file with one key per line.
void write_label_split(const std::filesystem::path& path, const LabelSplit& split);
LabelSplit read_label_split(const std::filesystem::path& path, const Dataset& data);

}  // namespace frgan
