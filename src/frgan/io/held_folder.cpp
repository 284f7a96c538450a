#include "frgan/io/held_folder.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {

HeldFolder::HeldFolder(std::filesystem::path path)
    : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw file_error(path_, "open the folder", errno);
}

HeldFolder::~HeldFolder() {
  ::close(descriptor_);
}

bool HeldFolder::is_at(const std::filesystem::path& path) const {
  struct stat held {
  }, found{};
  return ::fstat(descriptor_, &held) == 0 && ::stat(path.c_str(), &found) == 0 && held.st_dev == found.st_dev &&
         held.st_ino == found.st_ino;
}

bool HeldFolder::was_moved() {
  if (is_at(path_)) return false;
  std::error_code unknown;
  const std::filesystem::path now =
      std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", descriptor_), unknown);
  if (unknown || !is_at(now)) {
    throw Error(fmt::format("{}: the folder was removed or replaced by another program", path_.string()));
  }
  path_ = now;
  return true;
}

}  // namespace frgan
