// Creation of a run folder, and its removal if the run does not start.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "frgan/io/folder_lock.h"

namespace frgan {

// A folder that does not exist yet: runs/DATE-NAME, below the current folder.
std::filesystem::path unused_run_folder(const std::string& name);

// Checks that a new run can use this folder: it does not exist, is empty, or holds only files of a run that was killed
// before its first checkpoint. `inputs` are files that the user named; a run never overwrites them. Throws an Error,
// which names the process that trains in the folder, if there is one.
void check_run_folder(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& inputs);

// Creates and locks the folder of a new run. If the run ends before its first checkpoint, the destructor removes its
// files, and the folder if it was new. Other files stay, except temporary files of a start that was killed.
class NewRunFolder {
 public:
  // Throws an Error if the folder cannot be created, or if another process trains in it.
  explicit NewRunFolder(std::filesystem::path folder);
  NewRunFolder(const NewRunFolder&) = delete;
  NewRunFolder& operator=(const NewRunFolder&) = delete;
  ~NewRunFolder();

 private:
  void remove_if(bool (*is_meant)(const std::filesystem::path&)) const;

  std::filesystem::path folder_;
  bool is_new_, parent_is_new_;
  std::optional<FolderLock> lock_ = {};
  bool is_ours_ = false;  // nothing else was in the folder
};

}  // namespace frgan
