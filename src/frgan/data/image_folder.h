// Reader for the user's own images: one folder per class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/core/resize_rule.h"
#include "frgan/data/dataset.h"
#include "frgan/data/load_watch.h"

namespace frgan {

// Reads
//
//   FOLDER/train/CLASS/*       labeled images; the folder names are the classes, in alphabetical order
//   FOLDER/unlabeled/*         optional: unlabeled images
//   FOLDER/test/CLASS/*        optional: test images
//
// Images are PNG, JPEG or WebP of any size, also in subfolders; each is resized to size x size (see read_image).
// Dataset::train contains the images of train/, then those of unlabeled/ with label -1, both ordered by path. Names
// that begin with a dot are skipped. The notes name unreadable images, files without an image extension, ignored
// folders, and a missing test/. Throws an Error if train/ is missing, an image lies next to the class folders, a class
// has no readable image, or test/ has a class that train/ lacks. Also throws one if `watch` stops it.
Dataset read_image_folder(const std::filesystem::path& folder, int64_t size, int64_t channels,
                          const LoadWatch& watch = {}, ResizeRule rule = ResizeRule::kArea);

// Images without class folders.
struct LooseImages {
  at::Tensor images;               // uint8, N x size x size x channels
  std::vector<std::string> notes;  // skipped files
};
// Reads all images in a folder and its subfolders, ordered by path, by the same rules. Throws an Error if there is no
// readable image.
LooseImages read_loose_images(const std::filesystem::path& folder, int64_t size, int64_t channels);

}  // namespace frgan
