// Hashes of single images, to find out which file of a moved dataset differs from that of a run.
#pragma once

#include <string>

#include "frgan/core/json.h"
#include "frgan/data/dataset.h"

namespace frgan {

// {"format": "frgan images 1", "train": {"hashes": "8 hex digits per image", "files": ["train/cat/1.jpg", ...]},
// "test": {...}}. "files" is empty for a dataset whose images are not single files. Names are escaped (one_line in
// core/error.h). The hash covers the pixels and the label. It detects accidents, not attacks; the digest of the whole
// dataset (Dataset::digest) is a SHA-256.
Json image_hashes_json(const Dataset& data);

// What differs between the recorded images and this data: "train/cat/1.jpg was changed; 3 differences in all". A
// renamed file is one difference: "train/cat/1.jpg is now train/cat/2.jpg". Empty if nothing differs. Throws an Error
// that starts with `name`, the file, if `recorded` is not of that format.
std::string difference_from(const Json& recorded, const Dataset& data, const std::string& name);

}  // namespace frgan
