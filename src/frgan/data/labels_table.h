// labels.csv: the labels of image files as a table with the columns file and label. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

struct FileLabel {
  std::string file;   // path relative to the data folder
  std::string label;  // name of the class
  int64_t line = 0;   // of the table, from 1
};

// Whether --labels-file names such a table, by its extension .csv. Other files are label splits (label_split_file.h).
inline bool is_labels_table(std::string_view file) {
  return file.ends_with(".csv");
}

// Reads the header "file,label" and one label per file. Throws an Error that names the line of: a wrong header, an
// empty file or label, a wrong number of fields, a class name that is not plain text, a file with two labels.
//
//   file,label
//   img/0001.jpg,cat
//   "img/2,3.jpg",dog
std::vector<FileLabel> read_labels_table(const std::filesystem::path& path);

// The text of a table. Fields are escaped as csv_text does (io/csv.h).
std::string labels_table_text(const std::vector<FileLabel>& labels);

}  // namespace frgan
