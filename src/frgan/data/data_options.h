// Options of a dataset, its label split and its augmentation. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frgan/core/options.h"
#include "frgan/core/resize_rule.h"
#include "frgan/data/labels_table.h"

namespace frgan {

// Which dataset is loaded (data/load_dataset.h).
struct DataOptions {
  std::string data = "svhn";
  std::string data_dir = "";      // folder (or file) of the dataset; empty: searched
  int64_t image_size = 0;         // pixels; 0: the dataset's own, 32 for an image folder
  int64_t channels = 0;           // 0: the dataset's own, 3 for an image folder
  std::string labels_table = "";  // labels of the images of a folder (data/labels_table.h), instead of class folders;
                                  // not an option of its own, see with_labels
  // Of an image folder. Not an option: a run has the rule of its checkpoint.
  ResizeRule resize = ResizeRule::kArea;
};
void describe(OptionSet& options, DataOptions& data);

// The options with absolute paths, so that they work from any current folder.
DataOptions with_absolute_paths(DataOptions options);

// Deliberately corrupted labels (data/label_noise.h).
struct LabelNoiseOptions {
  double level = 0;            // fraction of labels to corrupt, 0 to 1
  std::string kind = "wrong";  // see noise_matrix
  int64_t seed = 1;
};
// Declares --label-noise, --label-noise-kind and --label-noise-seed.
void describe(OptionSet& options, LabelNoiseOptions& noise);

// How labeled images are drawn; see split_labels.
enum class LabelMode { kBalanced, kProportional, kRandom };

// Which training images are labeled (data/label_split.h).
struct SplitOptions {
  int64_t labels = 0;  // number of labeled images; 0: all labels
  LabelMode label_mode = LabelMode::kBalanced;
  int64_t split_seed = 1;
  std::string labels_file = "";  // path of a written split, used instead of the options above, or of a table of labels
  int64_t dev_images = 0;
  int64_t train_images = 0;  // 0: all
  LabelNoiseOptions noise{};
  // Whether labels_file is a written split. A table (labels.csv) only gives labels, from which the split is drawn.
  bool is_written() const { return !labels_file.empty() && !is_labels_table(labels_file); }
};
void describe(OptionSet& options, SplitOptions& split);

// The options of the data whose labels are in the table --labels-file, if it is one.
inline DataOptions with_labels(DataOptions data, const std::string& labels_file) {
  data.labels_table = is_labels_table(labels_file) ? labels_file : "";
  return data;
}

// Random changes of training images, as words for parse_augmentation (data/augment.h). The user's own policies have the
// form "NAME=WORD+WORD".
struct AugmentationOptions {
  std::vector<std::string> augmentation = {"translate:2"};
  std::vector<std::string> strong = {"translate:4", "randaugment:2", "cutout:0.5"};
  std::vector<std::string> policies = {};
};
void describe(OptionSet& options, AugmentationOptions& augmentation);

}  // namespace frgan
