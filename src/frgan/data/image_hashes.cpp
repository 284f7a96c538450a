#include "frgan/data/image_hashes.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr std::string_view kHashesFormat = "frgan images 1";
constexpr size_t kDigits = 8;  // hex digits of a hash

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
  text.reserve(hashes.size() * kDigits);
  for (const uint32_t hash : hashes) text += fmt::format("{:08x}", hash);
  return text;
}

// A JSON text cannot hold a name that is not UTF-8. All names are escaped, so that they compare equal after a round
// trip.
std::vector<std::string> escaped_names(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const std::string& path : paths) names.push_back(one_line(path));
  return names;
}

struct ImageHashes {
  std::string hashes;
  std::vector<std::string> files;  // escaped
  size_t size() const { return hashes.size() / kDigits; }
  std::string_view hash(size_t i) const { return std::string_view(hashes).substr(i * kDigits, kDigits); }
};

ImageHashes image_hashes(const ImageSet& set) {
  return {hashes_of(set), escaped_names(set.files)};
}

Json hashes_json(const ImageSet& set) {
  const ImageHashes images = image_hashes(set);
  return {{"hashes", images.hashes}, {"files", images.files}};
}

ImageHashes recorded_role(const Json& recorded, const char* role, const std::string& name) {
  const Json entry = recorded.value(role, Json());
  ImageHashes read;
  if (entry.is_object() && entry.value("hashes", Json()).is_string() && entry.value("files", Json()).is_array()) {
    read.hashes = entry.at("hashes").get<std::string>();
    read.files = escaped_names(entry.at("files").get<std::vector<std::string>>());
    if (read.hashes.size() % kDigits == 0 && (read.files.empty() || read.files.size() == read.size())) return read;
  }
  throw Error(fmt::format("{}: not a valid list of the hashes of images", name));
}

// For images that are not single files.
std::vector<std::string> differences_by_position(const ImageHashes& before, const ImageHashes& now, const char* role) {
  if (before.size() != now.size()) {
    return {fmt::format("the {} set has {} images instead of {}", role, now.size(), before.size())};
  }
  std::vector<std::string> found;
  for (size_t i = 0; i < now.size(); ++i) {
    if (before.hash(i) != now.hash(i)) found.push_back(fmt::format("{} image {} was changed", role, i));
  }
  return found;
}

std::vector<std::string> differences_by_file(const ImageHashes& before, const ImageHashes& now) {
  std::vector<std::string> found;
  std::map<std::string_view, std::string_view> gone;  // hashes of the files before that are not found now
  std::vector<size_t> added;
  for (size_t i = 0; i < before.size(); ++i) gone[before.files[i]] = before.hash(i);
  for (size_t i = 0; i < now.size(); ++i) {
    const auto same_name = gone.find(now.files[i]);
    if (same_name == gone.end()) {
      added.push_back(i);
      continue;
    }
    if (same_name->second != now.hash(i)) found.push_back(fmt::format("{} was changed", now.files[i]));
    gone.erase(same_name);
  }
  std::multimap<std::string_view, std::string_view> gone_files;  // by hash
  for (const auto& [file, hash] : gone) gone_files.emplace(hash, file);
  for (const size_t i : added) {
    const auto same_image = gone_files.find(now.hash(i));
    if (same_image == gone_files.end()) {
      found.push_back(fmt::format("{} was added", now.files[i]));
      continue;
    }
    found.push_back(fmt::format("{} is now {}", same_image->second, now.files[i]));
    gone.erase(same_image->second);
    gone_files.erase(same_image);
  }
  for (const auto& [file, hash] : gone) found.push_back(fmt::format("{} is missing or unreadable", file));
  return found;
}

// One line per image that was changed, added, renamed or removed.
std::vector<std::string> differences(const ImageHashes& before, const ImageHashes& now, const char* role) {
  return before.files.empty() || now.files.empty() ? differences_by_position(before, now, role)
                                                   : differences_by_file(before, now);
}

}  // namespace

Json image_hashes_json(const Dataset& data) {
  return {{"format", kHashesFormat}, {"train", hashes_json(data.train)}, {"test", hashes_json(data.test)}};
}

std::string difference_from(const Json& recorded, const Dataset& data, const std::string& name) {
  if (!recorded.is_object() || recorded.value("format", Json()) != kHashesFormat) {
    throw Error(fmt::format("{}: not of format '{}'", name, kHashesFormat));
  }
  std::vector<std::string> found;
  for (const auto& [role, set] : {std::pair("train", &data.train), std::pair("test", &data.test)}) {
    for (std::string& line : differences(recorded_role(recorded, role, name), image_hashes(*set), role)) {
      found.push_back(std::move(line));
    }
  }
  if (found.empty()) return "";
  if (found.size() == 1) return found.front();
  return fmt::format("{}; {} in all", found.front(), counted(static_cast<int64_t>(found.size()), "difference"));
}

}  // namespace frgan
