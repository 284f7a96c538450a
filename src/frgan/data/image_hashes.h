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

}  // namespace frgan
