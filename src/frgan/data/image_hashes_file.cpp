#include "frgan/data/image_hashes_file.h"

#include <set>
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
  std::multiset<std::pair<std::string_view, std::string_view>> gone;  // (hash, file) that are not found now
  for (size_t i = 0; i < before.size(); ++i) gone.emplace(before.hash(i), before.files[i]);
  std::vector<size_t> renamed, others;
  for (size_t i = 0; i < now.size(); ++i) {
    const auto same = gone.find({now.hash(i), now.files[i]});
    same == gone.end() ? renamed.push_back(i) : void(gone.erase(same));
  }
  for (const size_t i : renamed) {
    const auto same_image = gone.lower_bound({now.hash(i), ""});
    const bool is_found = same_image != gone.end() && same_image->first == now.hash(i);
    is_found ? void(gone.erase(same_image)) : others.push_back(i);
  }
  std::set<std::string_view> missing;
  for (const auto& [hash, file] : gone) missing.insert(file);
  std::vector<std::string> found;
  found.reserve(others.size());
  for (const size_t i : others) {
    found.push_back(fmt::format("{} was {}", now.files[i], missing.erase(now.files[i]) > 0 ? "changed" : "added"));
  }
  for (const std::string_view file : missing) found.push_back(fmt::format("{} is missing or unreadable", file));
  return found;
}

// One line per image that was changed, added or removed.
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
