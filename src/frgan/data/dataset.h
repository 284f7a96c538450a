// Pictures, labels and names: what every data set becomes before training or evaluation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Pictures of one role. A picture enters once as uint8 and stays so; `to` moves the whole set to a device.
struct PictureSet {
  at::Tensor pictures;  // uint8, N x H x W x C, contiguous, 0..255
  at::Tensor labels;    // int64, N, on the CPU: 0..K-1, or -1 where the label is not known
  int64_t size() const { return pictures.defined() ? pictures.size(0) : 0; }
};

// One data set. `train` holds all pictures that training may see (labeled ones are among the unlabeled); `test` may be
// empty.
struct Dataset {
  std::string name;                      // "svhn", "mnist", "fashion-mnist", "folder", "safetensors"
  std::string source;                    // the folder or file it was read from
  PictureSet train;
  PictureSet test;
  std::vector<std::string> class_names;  // K names; the index is the label
  int64_t image_size = 32;               // pictures are square; a multiple of 8, 16 to 128
  int64_t channels = 3;                  // 1 or 3
  std::string digest;                    // SHA-256 over pictures and labels of both roles: the same data or not
  std::vector<std::string> notes;        // what a person should know: unreadable files, no test set, ...
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

}  // namespace frgan
