// A folder that is held open, so that its renaming or removal is noticed.
#pragma once

#include <filesystem>

namespace frgan {

//   HeldFolder folder("runs/a");
//   write_file_safely(folder.path() / "summary.json", text);
class HeldFolder {
 public:
  // Throws an Error if the folder does not exist.
  explicit HeldFolder(std::filesystem::path path);
  HeldFolder(const HeldFolder&) = delete;
  HeldFolder& operator=(const HeldFolder&) = delete;
  ~HeldFolder();

  const std::filesystem::path& path() const { return path_; }
  // Whether the folder has another path than at the last call, because it was renamed; `path` then returns the new one.
  // Throws an Error if the folder was removed.
  bool was_moved();

 private:
  bool is_at(const std::filesystem::path& path) const;

  std::filesystem::path path_;
  int descriptor_;
};

}  // namespace frgan
