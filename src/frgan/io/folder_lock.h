// An exclusive lock on a folder, so that only one process trains there or starts runs in it.
#pragma once

#include <filesystem>
#include <string_view>

#include "frgan/core/run_files.h"

namespace frgan {

struct FolderLockOptions {
  std::string_view file = kLockFile;
  // Whether child processes inherit the lock: one that outlives its parent then keeps it.
  bool inherited = false;
  // Follows the owner in the message to others.
  std::string_view use = "trains in this folder; wait until it ends, or stop it";
};

// Locks a file in a folder with flock. The lock ends with the object or with the process, however it ends, so there are
// no stale locks. The file stays: removing it would let two processes lock two files of one name. The file holds the
// host and the process ID of the last owner, for the message to others. On a network file system that does not support
// flock, nothing is locked.
//
//   const FolderLock lock("runs/a");
class FolderLock {
 public:
  // Throws an Error that names the host and the process if another one holds the lock, or if the folder is not
  // writable.
  explicit FolderLock(const std::filesystem::path& folder, const FolderLockOptions& options = {});
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_ = -1;
};

// Throws the same Error if another process holds the lock. Takes no lock and writes nothing.
void check_not_locked(const std::filesystem::path& folder, const FolderLockOptions& options = {});

}  // namespace frgan
