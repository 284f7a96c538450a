#include "frgan/data/image_hashes.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

// FNV-1a over 64-bit words, folded to 32 bits.
uint32_t hash_of(const uint8_t* pixels, size_t bytes, int64_t label) {
  constexpr uint64_t kBasis = 0xcbf29ce484222325, kPrime = 0x100000001b3;
  uint64_t hash = (kBasis ^ static_cast<uint64_t>(label)) * kPrime;
  for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, pixels + i, std::min(sizeof word, bytes - i));
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 29;  // carries high bits down, which a multiplication only moves up
  }
  return static_cast<uint32_t>(hash ^ hash >> 32);
}

std::string hashes_of(const ImageSet& set) {
  if (set.size() == 0) return "";
  std::vector<uint32_t> hashes(static_cast<size_t>(set.size()));
  const auto* const pixels = set.images.data_ptr<uint8_t>();
  const auto* const labels = set.labels.data_ptr<int64_t>();
  const int64_t bytes = set.images.numel() / set.size();
  at::parallel_for(0, set.size(), 256, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      hashes[i] = hash_of(pixels + i * bytes, static_cast<size_t>(bytes), labels[i]);
    }
  });
  std::string text;
  text.reserve(hashes.size() * ImageHashes::kDigits);
  for (const uint32_t hash : hashes) text += fmt::format("{:08x}", hash);
  return text;
}

ImageHashes hashes_of_role(const ImageSet& set) {
  ImageHashes images{hashes_of(set), {}};
  images.files.reserve(set.files.size());
  for (const std::string& path : set.files) images.files.push_back(one_line(path));
  return images;
}

// The rows whose hash is among the recorded ones.
std::vector<int64_t> recorded_rows(const ImageHashes& recorded, const ImageHashes& now) {
  std::multiset<std::string_view> left;
  for (size_t i = 0; i < recorded.size(); ++i) left.insert(recorded.hash(i));
  std::vector<int64_t> rows;
  for (size_t i = 0; i < now.size(); ++i) {
    const auto same = left.find(now.hash(i));
    if (same == left.end()) continue;
    left.erase(same);
    rows.push_back(static_cast<int64_t>(i));
  }
  return rows;
}

}  // namespace

DatasetHashes image_hashes(const Dataset& data) {
  return {hashes_of_role(data.train), hashes_of_role(data.test)};
}

std::string difference_from(const Json& recorded, const Dataset& data, const std::string& name) {
  return difference(image_hashes_from_json(recorded, name), image_hashes(data));
}

int64_t remove_added_images(const Json& recorded, Dataset& data, const std::string& name) {
  if (data.train.files.empty()) return 0;
  const DatasetHashes before = image_hashes_from_json(recorded, name), now = image_hashes(data);
  const std::vector<int64_t> train = recorded_rows(before.train, now.train);
  const std::vector<int64_t> test = recorded_rows(before.test, now.test);
  if (train.empty()) return 0;
  const int64_t added = data.train.size() - std::ssize(train) + data.test.size() - std::ssize(test);
  data.train.keep_rows(train);
  data.test.keep_rows(test);
  return added;
}

std::string test_difference_from(const Json& recorded, const ImageSet& test, const std::string& name) {
  return difference({{}, image_hashes_from_json(recorded, name).test}, {{}, hashes_of_role(test)});
}

}  // namespace frgan
