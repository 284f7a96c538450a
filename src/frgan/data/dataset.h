// Images, labels and names: what every dataset becomes before training or evaluation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Images of one role. An image enters once as uint8 and stays so.
struct ImageSet {
  at::Tensor images;  // uint8, N x H x W x C, contiguous, 0..255
  at::Tensor labels;  // int64, N, on the CPU: 0..K-1, or -1 where the label is not known
  int64_t size() const { return images.defined() ? images.size(0) : 0; }
  // The same with the images on the device, where they stay for the whole run; the labels stay on the CPU.
  ImageSet to(at::Device device) const;
  // These of its images, copied.
  ImageSet rows(const std::vector<int64_t>& indices) const;
};

// One dataset. `train` holds all images that training may see (labeled ones are among the unlabeled); `test` may be
// empty.
struct Dataset {
  std::string name;    // "svhn", "mnist", "fashion-mnist", "folder"; a converted set keeps its name
  std::string source;  // the folder or file it was read from
  ImageSet train;
  ImageSet test;
  std::vector<std::string> class_names;  // K names; the index is the label
  int64_t image_size = 32;               // images are square; a multiple of 8, 16 to 128
  int64_t channels = 3;                  // 1 or 3
  std::string digest;                    // SHA-256 over images and labels of both roles: the same data or not
  std::vector<std::string> notes;        // what a person should know: unreadable files, no test set, ...
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

// Sizes that the networks are made for: images of 16x16 to 128x128 in steps of 8, 1 or 3 channels, 2 to 1000 classes.
// Throws an Error that begins with `source` where one is out of range.
void check_image_shape(int64_t image_size, int64_t channels, const std::string& source);

// Fills in `digest` and checks that shapes, labels and names fit together; throws an Error that names the source.
// Readers call it last.
void finish_dataset(Dataset& data);

// Throws an Error that names the first difference, unless the data has the classes that a network was trained for.
void check_classes(const Dataset& data, const std::vector<std::string>& names);

// Images of each class, and last those without a label: K + 1 numbers.
std::vector<int64_t> class_counts(const ImageSet& set, int64_t classes);

// A tensor over numbers that were read, without a copy: it owns them. uint8 and int64.
at::Tensor adopt(std::vector<uint8_t> values, at::IntArrayRef shape);
at::Tensor adopt(std::vector<int64_t> values, at::IntArrayRef shape);

// A name for a note or an error: in quotes, on one line, valid UTF-8 whatever the bytes are.
std::string quoted(const std::string& name);

}  // namespace frgan
