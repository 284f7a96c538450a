// Recorded hashes of single images: the file format and the comparison. This header includes no LibTorch.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"

namespace frgan {

// Hashes of the images of one role.
struct ImageHashes {
  static constexpr size_t kDigits = 8;  // hex digits of a hash
  std::string hashes;                   // one after the other
  // One per hash if each image is a file, else empty. Escaped (one_line in core/error.h), because a JSON text cannot
  // hold a name that is not UTF-8.
  std::vector<std::string> files;
  size_t size() const { return hashes.size() / kDigits; }
  std::string_view hash(size_t i) const { return std::string_view(hashes).substr(i * kDigits, kDigits); }
};

struct DatasetHashes {
  ImageHashes train, test;
};

// {"format": "frgan images 1", "train": {"hashes": "8 hex digits per image", "files": ["train/cat/1.jpg", ...]},
// "test": {...}}.
Json image_hashes_json(const DatasetHashes& images);
// Throws an Error that starts with `name`, the file, if `json` is not of that format.
DatasetHashes image_hashes_from_json(const Json& json, const std::string& name);

// What differs: "train/cat/1.jpg was changed; 3 differences in all". Names of files alone are no difference. Empty if
// nothing differs.
std::string difference(const DatasetHashes& before, const DatasetHashes& now);

}  // namespace frgan
