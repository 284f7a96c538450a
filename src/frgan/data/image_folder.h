// Reader for the user's own images: one folder per class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/core/resize_rule.h"
#include "frgan/data/dataset.h"
#include "frgan/data/image_files.h"
#include "frgan/data/load_watch.h"

namespace frgan {

// Reads
//
//   FOLDER/train/CLASS/*       labeled images; the folder names are the classes, in alphabetical order
//   FOLDER/unlabeled/*         optional: unlabeled images
//   FOLDER/test/CLASS/*        optional: test images
//
// Images are PNG, JPEG or WebP of any size, also in subfolders; each is resized to size x size (see read_image).
// Dataset::train contains the images of train/ by class, then those of unlabeled/ with label -1. Within a class, images
// are ordered by the SHA-256 of their files, so that names have no influence. Of several files with the same content,
// only one is a training image. Names that begin with a dot are skipped. The notes name unreadable images, copies,
// files without an image extension, ignored folders, a missing test/, and classes in test/ that train/ lacks, whose
// images are not read. Throws an Error if train/ is missing, an image lies next to the class folders, or a class has no
// readable image. Also throws one if `watch` stops it.
//
// With `labels_table` (data/labels_table.h), the classes are those of the table, in alphabetical order. All images in
// the folder and its subfolders except FOLDER/test are training images, and those that the table does not list are
// unlabeled. Throws an Error that names the line of the table for a file that is missing or a test image.
Dataset read_image_folder(const std::filesystem::path& folder, int64_t size, int64_t channels,
                          const LoadWatch& watch = {}, const std::filesystem::path& labels_table = {},
                          ResizeRule rule = ResizeRule::kArea);

// Labeled images for a network that is trained already.
struct TestImages {
  ImageSet set;                               // labels are indices of the network's classes; ordered by path
  std::vector<UnreadableImage> unreadable;    // of these classes
  std::vector<UnknownClass> unknown_classes;  // other class folders; their images are counted, not decoded
  std::vector<std::string> notes;             // for the user: unreadable and skipped files, unknown classes
};
// Reads FOLDER/test/CLASS/*, or FOLDER/CLASS/* if there is no test/, by the rules of read_image_folder. The names of
// the network's classes give the labels; they need not all be there. Throws an Error if there is train/ but no test/,
// or no readable image of these classes.
TestImages read_test_images(const std::filesystem::path& folder, const std::vector<std::string>& class_names,
                            int64_t size, int64_t channels, const LoadWatch& watch = {},
                            ResizeRule rule = ResizeRule::kArea);

// Images without class folders.
struct LooseImages {
  at::Tensor images;               // uint8, N x size x size x channels
  std::vector<std::string> notes;  // skipped files
};
// Reads all images in a folder and its subfolders, ordered by path, by the same rules. Throws an Error if there is no
// readable image.
LooseImages read_loose_images(const std::filesystem::path& folder, int64_t size, int64_t channels,
                              ResizeRule rule = ResizeRule::kArea);

}  // namespace frgan
