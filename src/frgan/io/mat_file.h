// Reader for SVHN's cropped digits, train_32x32.mat and test_32x32.mat: MATLAB 5.0 files, compressed or not (libmatio).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace frgan {

// Labeled images.
struct MatImages {
  int64_t count = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::vector<uint8_t> images;  // count x height x width x channels, 0 to 255
  std::vector<int64_t> labels;  // count, the digits 0 to 9
};

// Reads the variables X (uint8, height x width x channels x count, column-major) and y (count labels of any numeric
// type, 1 to 10). Label 10 is the digit 0 and is returned as 0. Throws an Error that names the file if it is missing,
// truncated, corrupt or not a MATLAB 5.0 file, or if its variables, shapes, types or labels are wrong. MATLAB 7.3 files
// are not supported. Safe for untrusted files: sizes are checked against the file before memory is allocated. The
// official training file (225 MB) takes 1 to 2 seconds, and memory for two copies of the images while it is read.
MatImages read_mat_images(const std::filesystem::path& path);

}  // namespace frgan
