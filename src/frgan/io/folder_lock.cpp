#include "frgan/io/folder_lock.h"

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

// "process 4711 on host a"
std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on host {}", ::getpid(), host.data());
}

// The Error that names the owner of the lock.
Error locked(const std::filesystem::path& folder, int descriptor, const FolderLockOptions& options) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  std::string_view owner(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  owner = owner.empty() ? "another process" : owner.substr(0, owner.find('\n'));
  return Error(fmt::format("{}: {} {}", folder.string(), owner, options.use));
}

bool is_locked(int descriptor, int kind) {
  return ::flock(descriptor, kind | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder, const FolderLockOptions& options) {
  const std::filesystem::path path = folder / options.file;
  const int close_on_exec = options.inherited ? 0 : O_CLOEXEC;
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | close_on_exec, 0666);
  if (descriptor_ < 0) throw file_error(path, "lock", errno);
  if (is_locked(descriptor_, LOCK_EX)) {
    Error error = locked(folder, descriptor_, options);
    ::close(descriptor_);
    throw error;
  }
  const std::string owner = this_process() + '\n';
  // A failure only costs the name in a message.
  [[maybe_unused]] const bool written =
      ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, owner.data(), owner.size(), 0) > 0;
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

void check_not_locked(const std::filesystem::path& folder, const FolderLockOptions& options) {
  const int descriptor = ::open((folder / options.file).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return;
  std::optional<Error> error;
  if (is_locked(descriptor, LOCK_SH)) error = locked(folder, descriptor, options);
  ::close(descriptor);
  if (error) throw *error;
}

}  // namespace frgan
