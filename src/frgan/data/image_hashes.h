// Hashes of single images, to find out which file of a moved dataset differs from that of a run.
#pragma once

#include <string>

#include "frgan/data/dataset.h"
#include "frgan/data/image_hashes_file.h"

namespace frgan {

// A hash covers the pixels and the label. It detects accidents, not attacks; the digest of the whole dataset
// (Dataset::digest) is a SHA-256.
DatasetHashes image_hashes(const Dataset& data);

// What differs between the recorded images and this data, as in image_hashes_file.h. `name` is the file of the record.
std::string difference_from(const Json& recorded, const Dataset& data, const std::string& name);
// The same for the test images only.
std::string test_difference_from(const Json& recorded, const ImageSet& test, const std::string& name);

// Removes the images that are not among the recorded ones, as far as each image is a file. Does nothing if no recorded
// training image is left. Returns the number of removed images; finish_dataset must follow.
int64_t remove_added_images(const Json& recorded, Dataset& data, const std::string& name);

}  // namespace frgan
