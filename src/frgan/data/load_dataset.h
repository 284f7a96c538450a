// Loading datasets by name or path.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "frgan/data/data_options.h"
#include "frgan/data/dataset.h"

namespace frgan {

// A file for download from its publisher.
struct RemoteFile {
  std::string name;
  std::string url;
  std::string md5;
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
  std::string hint;  // how to get the dataset, for error messages
  std::function<Dataset(const std::filesystem::path&, const DataOptions&)> load;
};
const std::vector<DatasetKind>& dataset_kinds();

// Loads the dataset with the name `options.data`, or the image folder or .safetensors file at that path. If `data_dir`
// is empty, the files are searched under `data_root` ($FRGAN_DATA, or data/). Throws an Error that lists the searched
// folders and how to get the data, or that names the file and the problem.
//
//   const Dataset data = load_dataset({.data = "svhn"}, "data");
Dataset load_dataset(const DataOptions& options, const std::filesystem::path& data_root);

}  // namespace frgan
