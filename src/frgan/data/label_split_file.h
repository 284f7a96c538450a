// The label split and its file format. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/data/data_options.h"

namespace frgan {

// Rows are indices into Dataset::train, in ascending order. Labeled images are also used as unlabeled ones. Development
// images are held out for tuning: training uses neither the images nor their labels. Images without a label in the data
// are never labeled or development images.
struct LabelSplit {
  // Of all training images, if they are files: "SHA-256 PATH". Empty: rows identify images.
  std::vector<std::string> images;
  std::string data_digest;   // digest of the dataset
  int64_t train_images = 0;  // training images of the dataset
  std::string mode;          // how it was drawn, for information; "all" if all labels are used
  int64_t seed = 0;
  std::vector<int64_t> labeled;
  std::vector<int64_t> dev;
  std::vector<int64_t> kept;    // rows used for training, labeled and unlabeled; empty: all but `dev`
  std::vector<int64_t> shown;   // labels given to `labeled`, with label noise; empty: the true ones
  LabelNoiseOptions noise;      // the label noise in `shown`
  std::vector<int64_t> counts;  // labeled images per class, by true label
  // SHA-256 over the digests of the files and the shown labels; without files, over data_digest, rows and shown labels.
  std::string digest;
  std::vector<std::string> notes;  // for the user: classes without a labeled image, wrong labels
};

// What a label split refers to. Valid as long as the dataset.
struct KnownLabels {
  std::span<const int64_t> labels;            // of the training images: 0 to K - 1, or -1 if unlabeled
  std::span<const std::string> class_names;   // K
  std::string_view digest;                    // of the dataset
  std::string description;                    // for errors: its source and the size of its images
  std::span<const std::string> digests = {};  // SHA-256 of the files of the training images; empty if they are no files
  std::span<const std::string> files = {};    // their paths; may be empty
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

// Sets the fields that follow from the rows and the data: images, digests, counts, notes.
void finish_label_split(LabelSplit& split, const KnownLabels& data);

// The split as {"format": "frgan label split 1", "data_digest": ..., "labeled": [rows], "dev": [rows], "digest": ...}.
// If they are not empty, "kept": [rows] and "shown": [labels] with "label_noise": {"level", "kind", "seed"} are added.
// If the images are files, the format is "frgan label split 2", with "SHA-256 PATH" in place of each row. The path is
// for information only.
Json label_split_json(const LabelSplit& split);
// Reads a split and checks it against the data; `name` is the file's name in errors. Required keys: format,
// data_digest, train_images, labeled. After editing the lists by hand, remove the key "digest". A split of rows, or
// with label noise, needs exactly its data. Another split of files only needs these files: others may have been added,
// and files may have other names and labels.
LabelSplit label_split_from_json(const Json& json, const KnownLabels& data, std::string_view name);

// Writes the split as a JSON file with one key per line.
void write_label_split(const std::filesystem::path& path, const LabelSplit& split);

}  // namespace frgan
