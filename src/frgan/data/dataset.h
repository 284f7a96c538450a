// Images, labels and class names: the common form of all datasets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/core/image_shape.h"

namespace frgan {

// The images of one role (training or test). Images stay uint8 in memory.
struct ImageSet {
  at::Tensor images;  // uint8, N x H x W x C, contiguous, 0 to 255
  at::Tensor labels;  // int64, N, on the CPU: 0 to K - 1, or -1 if unlabeled
  // Paths relative to Dataset::source, N, if each image is a file; else empty. `to` does not copy them.
  std::vector<std::string> files = {};
  // SHA-256 of each image's file as hexadecimal text, N, if each image was a file; else empty. It identifies the image,
  // whatever its file is called. `to` does not copy them.
  std::vector<std::string> digests = {};
  int64_t size() const { return images.defined() ? images.size(0) : 0; }
  // A copy with the images on the device, for the whole run. The labels stay on the CPU.
  ImageSet to(at::Device device) const;
  // A copy of the images, labels, files and digests of these rows.
  ImageSet rows(const std::vector<int64_t>& indices) const;
  // Keeps only these rows, in this order, without a second copy of the images. Changes the image tensor, which must be
  // in memory of its own.
  void keep_rows(const std::vector<int64_t>& indices);
};

// A dataset. `train` contains all images that training may use, labeled and unlabeled. `test` may be empty.
struct Dataset {
  std::string name;    // "svhn", "mnist", "fashion-mnist", "folder"; a converted dataset keeps its name
  std::string source;  // folder or file that it was read from
  ImageSet train;
  ImageSet test;
  std::vector<std::string> class_names;  // K names; the index is the label
  int64_t image_size = 32;               // side of the square images in pixels; a multiple of 8, 16 to 512
  int64_t channels = 3;                  // 1 or 3
  std::string digest;                    // SHA-256 over the images, labels and file digests of both roles
  std::vector<std::string> notes;        // for the user: unreadable files, no test images, ...
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
};

// Sets `digest` and checks that shapes, labels and class names (2 to 1000) are consistent. Throws an Error that names
// the source. Every reader calls it last.
void finish_dataset(Dataset& data);

// Checks that the data has the classes that a network was trained on. Throws an Error with the first difference.
void check_classes(const Dataset& data, const std::vector<std::string>& names);

// Number of images per class, followed by the number of unlabeled images: K + 1 numbers.
std::vector<int64_t> class_counts(const ImageSet& set, int64_t classes);

// A tensor that takes ownership of the values without a copy.
at::Tensor adopt(std::vector<uint8_t> values, at::IntArrayRef shape);
at::Tensor adopt(std::vector<int64_t> values, at::IntArrayRef shape);
at::Tensor adopt(std::vector<float> values, at::IntArrayRef shape);

// A view of uint8 images, N x S x S x C, contiguous on the CPU. It is valid as long as the tensor.
ImageView view_of(const at::Tensor& images);

}  // namespace frgan
