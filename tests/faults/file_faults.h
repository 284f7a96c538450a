// Faults of the file system, for tests. file_faults.cpp replaces the functions of the C library that change files, for
// the whole test program. It counts the calls for paths below a folder and makes one of them fail.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace frgan {

enum class FaultKind {
  kNone,        // only counts
  kKill,        // SIGKILL before the call
  kDiskFull,    // the call fails with ENOSPC
  kIoError,     // the call fails with EIO
  kShortWrite,  // a write writes half of its bytes, or fails with EINTR if it has only one; other calls succeed
  kAllocation,  // the first operator new after the call throws std::bad_alloc
  kPowerCut,    // writes what would survive a power failure to the folder `survivors`, then SIGKILL
};

struct FileFault {
  FaultKind kind = FaultKind::kNone;
  int64_t at = 0;                    // number of the call, counted from 1
  std::filesystem::path below = {};  // the folder that a power failure empties
  std::string counted = {};          // counts calls for paths that begin with this text
  std::filesystem::path survivors = {};
};

// Sets the fault of this process and resets the count. kPowerCut takes everything that exists now as safely on disk.
// Later data survives only after fsync of its file, and later names only after fsync of their folder.
void set_file_fault(const FileFault& fault);
int64_t counted_file_calls();
// False under the address sanitizer.
bool can_fail_allocations();

}  // namespace frgan
