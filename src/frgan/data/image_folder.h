// A person's own images: a folder for each class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/data/dataset.h"

namespace frgan {

// Reads
//
//   FOLDER/train/CLASS/*       images with labels; the folders' names are the classes, in alphabetical order
//   FOLDER/unlabeled/*         optional: more images, whose labels nobody knows
//   FOLDER/test/CLASS/*        optional
//
// PNG, JPEG or WebP of any size, also in folders within these; each is resized to size x size (see read_image).
// `train` holds the images of train/, then those of unlabeled/ with label -1, both in the order of their paths. Names
// that begin with a dot are passed over. Files that are no images by name, and images that cannot be read, are
// counted and named in the notes; so are a missing test/ and other folders. Throws an Error where there is no train/, a
// image lies beside the class folders, a class has no readable image, or test/ has a class that train/ lacks.
Dataset read_image_folder(const std::filesystem::path& folder, int64_t size, int64_t channels);

// Images of no known class.
struct LooseImages {
  at::Tensor images;               // uint8, N x size x size x channels
  std::vector<std::string> notes;  // files that were left out
};
// All images in and below a folder, in the order of their paths, by the same rules. Throws an Error where none can be
// read.
LooseImages read_loose_images(const std::filesystem::path& folder, int64_t size, int64_t channels);

}  // namespace frgan
