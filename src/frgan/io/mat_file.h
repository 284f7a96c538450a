// SVHN's cropped digits: train_32x32.mat and test_32x32.mat, MATLAB 5.0 files, compressed or not, read by libmatio.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace frgan {

// Images with labels, as they lie in memory.
struct MatImages {
  int64_t count = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::vector<uint8_t> images;  // count x height x width x channels, 0..255
  std::vector<int64_t> labels;  // count, 0..9: the digit that is shown
};

// Reads variable X (uint8, height x width x channels x count, column-major) and y (count labels of any number type; 1
// to 10, where 10 is the digit 0: given back as 0). Throws an Error that names the file and what is wrong when it is
// missing, cut short, altered, no MATLAB 5.0 file (7.3 is not read), has other variables, shapes or types, or a label
// out of range. A file that anybody may have made is safe to read: sizes are checked against the file before memory is
// taken. The official training file (225 MB) takes a second or two, and memory for two copies of the images
// meanwhile.
MatImages read_mat_images(const std::filesystem::path& path);

}  // namespace frgan
