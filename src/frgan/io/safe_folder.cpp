#include "frgan/io/safe_folder.h"

#include <cerrno>

#include <fcntl.h>
#include <stdio.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Renames the finished folder to its final name. An older folder of that name is exchanged atomically, so that one of
// the two exists at any time. If the file system does not support the exchange, the older one is removed first.
void move_into_place(const fs::path& partial, const fs::path& directory) {
  if (::rename(partial.c_str(), directory.c_str()) == 0) return;
  if (errno != EEXIST && errno != ENOTEMPTY) throw file_error(directory, "write", errno);
  if (::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, directory.c_str(), RENAME_EXCHANGE) != 0) {
    fs::remove_all(directory);
    fs::rename(partial, directory);
  }
  fs::remove_all(partial);
}

}  // namespace

void write_folder_safely(const fs::path& directory, const fs::path& partial,
                         const std::function<void(const fs::path& partial)>& fill) {
  const fs::path parent = directory.has_parent_path() ? directory.parent_path() : fs::path(".");
  ensure_directory(parent);
  try {
    fs::remove_all(partial);
    fs::create_directory(partial);
    fill(partial);
    sync_path(partial);
    move_into_place(partial, directory);
    sync_path(parent);
  } catch (const fs::filesystem_error& error) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw file_error(directory, "write", error.code().value());
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
}

}  // namespace frgan
