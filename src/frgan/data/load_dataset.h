// Loading datasets by name or path.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frgan/data/data_options.h"
#include "frgan/data/load_watch.h"

namespace frgan {

struct Dataset;  // data/dataset.h

// A file for download from its publisher.
struct RemoteFile {
  std::string name;
  std::string url;
  int64_t bytes;
  std::string sha256;
};

// A kind of dataset.
struct DatasetKind {
  std::string name;
  std::string summary;  // one line, shown to the user
  // The dataset's folder contains a file with one of these names. Empty: --data-dir is required.
  std::vector<std::string> files;
  // Folders to search, relative to the data root or absolute.
  std::vector<std::string> folders;
  std::vector<RemoteFile> downloads;
  std::string hint;          // how to get the dataset, for error messages
  bool allows_flips = true;  // false for digits: a mirrored digit is not of its class
  std::function<Dataset(const std::filesystem::path&, const DataOptions&, const LoadWatch&)> load;
};
const std::vector<DatasetKind>& dataset_kinds();

// Loads the dataset with the name `options.data`, or the image folder or .safetensors file at that path. If `data_dir`
// is empty, the files are searched under `data_root` ($FRGAN_DATA, or data/). Throws an Error that lists the searched
// folders and how to get the data, or that names the file and the problem.
//
//   const Dataset data = load_dataset({.data = "svhn"}, "data");
Dataset load_dataset(const DataOptions& options, const std::filesystem::path& data_root, const LoadWatch& watch = {});

// The image folder that `load_dataset` would read; empty for other data, or if the folder does not exist.
std::optional<std::filesystem::path> image_folder_of(const DataOptions& options);

// A dataset without its images and labels.
struct DatasetInfo {
  std::string name;    // "svhn", "folder", ...
  std::string source;  // folder or file that it was read from
  std::string digest;  // SHA-256 over the images and labels
  int64_t image_size = 0;
  int64_t channels = 0;
  std::vector<std::string> class_names;                        // K names; the index is the label
  int64_t train_images = 0, test_images = 0;                   // test_images may be 0
  std::vector<int64_t> train_class_counts, test_class_counts;  // K + 1: images per class, then unlabeled images
  std::vector<std::string> notes;                              // for the user: unreadable files, no test images, ...
};

// Loads the dataset and describes it. Throws like load_dataset.
DatasetInfo dataset_info(const DataOptions& options, const std::filesystem::path& data_root,
                         const LoadWatch& watch = {});

// Writes the dataset into one .safetensors file, which loads faster, and describes it. Throws like load_dataset, or an
// Error if the file cannot be written.
DatasetInfo convert_dataset(const DataOptions& options, const std::filesystem::path& data_root,
                            const std::filesystem::path& output, const LoadWatch& watch = {});

}  // namespace frgan
