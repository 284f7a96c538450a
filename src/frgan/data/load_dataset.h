// Datasets by name, found where they usually lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "frgan/core/options.h"
#include "frgan/data/dataset.h"

namespace frgan {

struct DataOptions {
  std::string data = "svhn";
  std::string data_dir = "";  // where its files lie; empty: searched for
  int64_t image_size = 0;     // 0: the data's own, 32 for a folder of images
  int64_t channels = 0;       // 0: the data's own, 3 for a folder of images
};
void describe(OptionSet& options, DataOptions& data);

// The same with every path absolute, so that they are found from any folder.
DataOptions with_absolute_paths(DataOptions options);

// A file that its publisher offers for download.
struct RemoteFile {
  std::string name;
  std::string url;
  std::string md5;
};

// One row of the table of datasets.
struct DatasetKind {
  std::string name;
  std::string summary;  // one line for people
  // Its folder has a file of one of these names; none where --data-dir must say where it is.
  std::vector<std::string> files;
  // Further places to look: relative to the data root, or absolute.
  std::vector<std::string> folders;
  std::vector<RemoteFile> downloads;
  std::string hint;  // how to get it
  std::function<Dataset(const std::filesystem::path&, const DataOptions&)> load;
};
const std::vector<DatasetKind>& dataset_kinds();

// Loads the dataset that `options.data` names, or, where that is the path of a folder or of a .safetensors file, what
// lies there. Without `data_dir` the files are looked for under `data_root` ($FRGAN_DATA, or data/). Throws an Error
// that says where was looked and how to get the data, or names the file and what is wrong with it.
//
//   const Dataset data = load_dataset({.data = "svhn"}, "data");
Dataset load_dataset(const DataOptions& options, const std::filesystem::path& data_root);

}  // namespace frgan
