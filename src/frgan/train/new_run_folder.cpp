#include "frgan/train/new_run_folder.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/report/tensorboard.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Whether a run writes a file of this name before its first checkpoint.
bool is_written_at_start(const fs::path& path) {
  constexpr std::array kNames{kOptionsFile, kLabelsFile, kLabelsTable, kImagesFile,
                              kLogFile,     kPlanFile,   kLockFile,    kCheckpointsFolder};
  return std::find(kNames.begin(), kNames.end(), path.filename().string()) != kNames.end() || is_event_file(path);
}

// Whether this is a temporary file of a start that was killed.
bool is_unfinished(const fs::path& path) {
  const std::string name = name_of_unfinished(path);
  return !name.empty() && is_written_at_start(name);
}

// Whether a run that was killed before its first checkpoint may have left this entry. The new run overwrites it.
bool is_left_by_a_start(const fs::directory_entry& entry, const std::vector<fs::path>& inputs) {
  std::error_code ignored;
  for (const fs::path& input : inputs) {
    if (fs::equivalent(entry.path(), input, ignored)) return false;
  }
  if (is_unfinished(entry.path())) return true;
  return is_written_at_start(entry.path()) && (entry.path().filename() != kLogFile || fs::is_empty(entry.path()));
}

}  // namespace

fs::path unused_run_folder(const std::string& name) {
  const std::string path = fmt::format("runs/{:%Y%m%d-%H%M%S}-{}", fmt::localtime(std::time(nullptr)), name);
  fs::path folder = path;
  for (int again = 2; fs::exists(folder); ++again) folder = fmt::format("{}-{}", path, again);
  return folder;
}

void check_run_folder(const fs::path& folder, const std::vector<fs::path>& inputs) {
  if (has_checkpoints(folder / kCheckpointsFolder)) {
    check_not_locked(folder);
    throw Error(fmt::format("{}: already holds a run; continue it with --resume {}, or give another folder",
                            folder.string(), folder.string()));
  }
  if (!fs::exists(folder) || !fs::is_directory(folder)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (is_left_by_a_start(entry, inputs)) continue;
    throw Error(fmt::format("{}: not empty: holds {}; give a new or empty folder for the run", folder.string(),
                            entry.path().filename().string()));
  }
}

NewRunFolder::NewRunFolder(fs::path folder)
    : folder_(std::move(folder)),
      is_new_(!fs::exists(folder_)),
      parent_is_new_(folder_.has_parent_path() && !fs::exists(folder_.parent_path())) {
  ensure_directory(folder_);
  lock_.emplace(folder_);
  is_ours_ = std::all_of(fs::directory_iterator(folder_), fs::directory_iterator(),
                         [](const fs::directory_entry& entry) { return entry.path().filename() == kLockFile; });
  remove_if(is_unfinished);
}

NewRunFolder::~NewRunFolder() {
  std::error_code ignored;
  try {
    if (!is_ours_ || has_checkpoints(folder_ / kCheckpointsFolder)) return;
    remove_if(is_written_at_start);
  } catch (const std::exception&) {
    return;  // unreadable entries stay
  }
  if (is_new_) fs::remove(folder_, ignored);
  if (parent_is_new_) fs::remove(folder_.parent_path(), ignored);  // "runs"; fails if it is not empty
}

void NewRunFolder::remove_if(bool (*is_meant)(const fs::path&)) const {
  std::vector<fs::path> meant;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    if (is_meant(entry.path())) meant.push_back(entry.path());
  }
  std::error_code ignored;
  for (const fs::path& path : meant) fs::remove(path, ignored);
}

}  // namespace frgan
