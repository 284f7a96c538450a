#include "frgan/data/image_hashes_file.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr std::string_view kHashesFormat = "frgan images 1";

Json role_json(const ImageHashes& images) {
  return {{"hashes", images.hashes}, {"files", images.files}};
}

ImageHashes read_role(const Json& recorded, const char* role) {
  const Json& entry = recorded.at(role);
  ImageHashes read{entry.at("hashes").get<std::string>(), entry.at("files").get<std::vector<std::string>>()};
  if (read.hashes.size() % ImageHashes::kDigits != 0) throw JsonError("incomplete hash");
  if (!read.files.empty() && read.files.size() != read.size()) throw JsonError("not one file per hash");
  for (std::string& file : read.files) file = one_line(file);
  return read;
}

// For images that are not single files.
std::vector<std::string> differences_by_position(const ImageHashes& before, const ImageHashes& now,
                                                 std::string_view role) {
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
std::vector<std::string> differences(const ImageHashes& before, const ImageHashes& now, std::string_view role) {
  return before.files.empty() || now.files.empty() ? differences_by_position(before, now, role)
                                                   : differences_by_file(before, now);
}

}  // namespace

Json image_hashes_json(const DatasetHashes& images) {
  return {{"format", kHashesFormat}, {"train", role_json(images.train)}, {"test", role_json(images.test)}};
}

DatasetHashes image_hashes_from_json(const Json& json, const std::string& name) try {
  if (!json.is_object() || json.value("format", Json()) != kHashesFormat) {
    throw Error(fmt::format("{}: not of format '{}'", name, kHashesFormat));
  }
  return {read_role(json, "train"), read_role(json, "test")};
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: not a valid list of the hashes of images ({})", name, error.what()));
}

std::string difference(const DatasetHashes& before, const DatasetHashes& now) {
  std::vector<std::string> found = differences(before.train, now.train, "train");
  for (std::string& line : differences(before.test, now.test, "test")) found.push_back(std::move(line));
  if (found.empty()) return "";
  if (found.size() == 1) return found.front();
  return fmt::format("{}; {} in all", found.front(), counted(static_cast<int64_t>(found.size()), "difference"));
}

}  // namespace frgan
