// An exclusive lock on a run folder, so that only one process trains there.
#pragma once

#include <filesystem>

namespace frgan {

// Locks the file kLockFile (core/run_files.h) in a folder with flock. The lock ends with the object or with the
// process, however it ends, so there are no stale locks. The file stays: removing it would let two processes lock two
// files of one name. The file holds the host and the process ID of the last owner, for the message to others. On a
// network file system that does not support flock, nothing is locked.
//
//   const FolderLock lock("runs/a");
class FolderLock {
 public:
  // Throws an Error that names the host and the process if another one holds the lock, or if the folder is not
  // writable.
  explicit FolderLock(const std::filesystem::path& folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_ = -1;
};

}  // namespace frgan
