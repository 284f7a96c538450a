#include "frgan/io/checkpoint_files.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/io/safe_folder.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "MANIFEST.json";
constexpr std::string_view kFormat = "frgan checkpoint 1";
constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kPartialFolder = ".partial";
constexpr int64_t kManifestLimit = 1 << 20;  // bytes

[[noreturn]] void refuse_checkpoint(std::string_view file, std::string_view what) {
  throw Error(fmt::format("{}: {}; the checkpoint is corrupt", file, what));
}

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name != kManifest &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The checkpoints in a folder, by step; empty if the folder does not exist.
std::map<int64_t, fs::path> checkpoints_of(const fs::path& folder) {
  std::map<int64_t, fs::path> found;
  std::error_code error;
  if (!fs::exists(folder, error)) return found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (const auto step = checkpoint_step(entry.path())) found.emplace(*step, entry.path());
  if (error) throw file_error(folder, "read the folder", error.value());
  return found;
}

fs::path partial_of(const fs::path& directory) {
  return fs::path(directory) += kPartialFolder;
}

// Removes the partial checkpoints of interrupted writers.
void remove_leftovers(const fs::path& folder) {
  std::vector<fs::path> leftovers;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kPartialFolder) && checkpoint_step(name.substr(0, name.size() - kPartialFolder.size())))
      leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path);
}

// Removes the checkpoints and all leftovers. Each checkpoint is renamed first, so that an interrupted removal leaves a
// leftover rather than a corrupt checkpoint.
void remove_checkpoints(const fs::path& folder, const std::map<int64_t, fs::path>& checkpoints) {
  try {
    for (const auto& [step, directory] : checkpoints) {
      fs::rename(directory, partial_of(directory));
      fs::remove_all(partial_of(directory));
    }
    if (fs::exists(folder)) remove_leftovers(folder);
  } catch (const fs::filesystem_error& error) {
    throw file_error(folder, "remove old checkpoints", error.code().value());
  }
}

void write_parts(const fs::path& partial, const std::vector<CheckpointPart>& parts) {
  Json files = Json::object();
  for (const CheckpointPart& part : parts) {
    if (!is_plain_name(part.name))
      throw Error(fmt::format("{}: invalid name of a checkpoint file: {:?}; must be a plain file name",
                              partial.string(), part.name));
    const fs::path path = partial / part.name;
    part.write(path);
    sync_path(path);
    files[part.name] = {{"size", fs::file_size(path)}, {"sha256", file_digest(path)}};
  }
  const Json manifest = {{"format", kFormat}, {"files", files}};
  write_file_safely(partial / kManifest, manifest.dump(1) + '\n');
}

}  // namespace

void write_checkpoint(const fs::path& directory, const std::vector<CheckpointPart>& parts) try {
  const fs::path folder = directory.has_parent_path() ? directory.parent_path() : fs::path(".");
  ensure_directory(folder);
  remove_leftovers(folder);
  write_folder_safely(directory, partial_of(directory), [&](const fs::path& partial) { write_parts(partial, parts); });
} catch (const fs::filesystem_error& error) {
  throw file_error(directory, "write", error.code().value());
}

std::map<std::string, ManifestEntry> parse_manifest(std::string_view text, std::string_view name) {
  const Json manifest = parse_json(text, name);
  if (!manifest.is_object() || manifest.value("format", Json()) != kFormat)
    refuse_checkpoint(name, fmt::format("not a manifest of format '{}'", kFormat));
  const Json* const files = manifest.find("files");
  if (files == nullptr || !files->is_object() || files->empty()) refuse_checkpoint(name, "no list of files");

  std::map<std::string, ManifestEntry> entries;
  for (const auto& [file, entry] : files->items()) {
    const Json size = entry.is_object() ? entry.value("size", Json()) : Json();
    const Json digest = entry.is_object() ? entry.value("sha256", Json()) : Json();
    if (!is_plain_name(file) || !size.is_count() || !digest.is_string() || !is_sha256(digest.text()))
      refuse_checkpoint(name, fmt::format("invalid entry {:?}", std::string_view(file).substr(0, 60)));
    entries[file] = {size.get<int64_t>(), digest.get<std::string>()};
  }
  return entries;
}

void verify_checkpoint(const fs::path& directory, const std::vector<std::string>& names) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored))
    throw Error(fmt::format("{}: not a checkpoint; expected a folder with {}", directory.string(), kManifest));
  const fs::path manifest = directory / kManifest;
  if (!fs::exists(manifest, ignored)) {
    if (names.empty()) refuse_checkpoint(manifest.string(), "file is missing");
    for (const std::string& name : names) {
      if (!fs::exists(directory / name, ignored)) refuse_checkpoint((directory / name).string(), "file is missing");
    }
    return;
  }
  const auto entries = parse_manifest(read_file(manifest, kManifestLimit), manifest.string());
  for (const std::string& name : names) {
    if (!entries.contains(name)) refuse_checkpoint(manifest.string(), fmt::format("no entry for {}", name));
  }
  for (const auto& [name, entry] : entries) {
    if (!names.empty() && std::ranges::find(names, name) == names.end()) continue;
    const fs::path path = directory / name;
    if (!fs::exists(path, ignored)) refuse_checkpoint(path.string(), "file is missing");
    const int64_t size = InputFile(path).size();
    if (size != entry.size)
      refuse_checkpoint(path.string(), fmt::format("wrong size: {} bytes; expected {}", size, entry.size));
    if (file_digest(path) != entry.sha256) refuse_checkpoint(path.string(), "SHA-256 differs from the manifest");
  }
}

std::vector<std::string> checkpoint_file_names(const fs::path& directory) {
  const fs::path manifest = directory / kManifest;
  std::vector<std::string> names;
  for (const auto& [name, entry] : parse_manifest(read_file(manifest, kManifestLimit), manifest.string())) {
    names.push_back(name);
  }
  return names;
}

std::string checkpoint_name(int64_t step) {
  return fmt::format("{}{:08}", kPrefix, step);
}

std::optional<int64_t> checkpoint_step(const fs::path& directory) {
  const std::string name = directory.filename().string();
  int64_t step = 0;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
  if (error != std::errc() || name != checkpoint_name(step) || step < 0) return std::nullopt;
  return step;
}

CheckpointSearch newest_whole_checkpoint(const fs::path& folder, const std::vector<std::string>& names) {
  CheckpointSearch search;
  const std::map<int64_t, fs::path> checkpoints = checkpoints_of(folder);
  for (auto item = checkpoints.rbegin(); item != checkpoints.rend() && !search.newest; ++item) {
    try {
      verify_checkpoint(item->second, names);
      search.newest = item->second;
    } catch (const Error& error) {
      search.refused.emplace_back(error.what());
    }
  }
  return search;
}

bool has_checkpoints(const fs::path& folder) {
  return !checkpoints_of(folder).empty();
}

void remove_checkpoints_after(const fs::path& folder, int64_t step) {
  std::map<int64_t, fs::path> checkpoints = checkpoints_of(folder);
  checkpoints.erase(checkpoints.begin(), checkpoints.upper_bound(step));
  remove_checkpoints(folder, checkpoints);
}

void prune_checkpoints(const fs::path& folder, int64_t keep) {
  std::map<int64_t, fs::path> checkpoints = checkpoints_of(folder);
  const int64_t kept = std::min(keep, static_cast<int64_t>(checkpoints.size()));
  checkpoints.erase(std::prev(checkpoints.end(), kept), checkpoints.end());
  remove_checkpoints(folder, checkpoints);
}

}  // namespace frgan
