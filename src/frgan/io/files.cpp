#include "frgan/io/files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace frgan {
namespace {

constexpr std::string_view kPartialFile = ".partial-";  // a process ID follows

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

std::string_view hint_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "; free disk space or choose a folder on another disk";
    case EFBIG:
      return "; the file exceeds the limit of the shell (ulimit -f) or of the file system";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; check the permissions or choose a writable folder";
    case ELOOP:
      return "; the path is a link; remove the link or choose another path";
    case ENOTDIR:
    case EEXIST:
      return "; the path contains a file where a folder is needed; choose another path";
    case ENOENT:
      return "; check the path";
    default:
      return "";
  }
}

}  // namespace

Error file_error(const std::filesystem::path& path, std::string_view action, int error_number) {
  return Error(fmt::format("{}: cannot {}: {}{}", path.string(), action, std::generic_category().message(error_number),
                           hint_for(error_number)));
}

SafeFile::SafeFile(const std::filesystem::path& path) : path_(path) {
  std::error_code ignored;
  const std::filesystem::file_type type = std::filesystem::symlink_status(path, ignored).type();
  // Renaming would replace a device or a link, and fail late on a folder.
  if (type != std::filesystem::file_type::regular && type != std::filesystem::file_type::not_found) {
    throw Error(fmt::format("{}: cannot write: exists and is {}; choose another path", path.string(),
                            type == std::filesystem::file_type::symlink ? "a link" : "not a regular file"));
  }
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    partial_ = path_;
    partial_ += fmt::format("{}{}", kPartialFile, ::getpid());
    if (attempt > 0) partial_ += fmt::format(".{}", attempt);
    descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) throw file_error(path, "write", errno);
  }
}

SafeFile::~SafeFile() {
  close_and_remove();
}

void SafeFile::close_and_remove() noexcept {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial_.c_str());
  descriptor_ = -1;
}

void SafeFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw file_error(path_, "write", errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void SafeFile::commit() {
  if (::fsync(descriptor_) != 0) throw file_error(path_, "write", errno);
  if (::rename(partial_.c_str(), path_.c_str()) != 0) throw file_error(path_, "write", errno);
  ::close(descriptor_);
  descriptor_ = -1;
  const std::filesystem::path folder = path_.parent_path();
  sync_path(folder.empty() ? "." : folder);
}

void write_file_safely(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  SafeFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_safely(const std::filesystem::path& path, std::string_view text) {
  write_file_safely(path, bytes_of(text));
}

std::string name_of_unfinished(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const size_t end = name.rfind(kPartialFile);
  std::error_code ignored;
  if (end == std::string::npos || !std::filesystem::is_regular_file(path, ignored)) return "";
  pid_t writer = 0;
  int attempt = 0;
  const char* const last = name.data() + name.size();
  auto [rest, failed] = std::from_chars(name.data() + end + kPartialFile.size(), last, writer);
  if (failed == std::errc() && rest != last && *rest == '.') rest = std::from_chars(rest + 1, last, attempt).ptr;
  if (failed != std::errc() || rest != last || name.back() == '.' || writer <= 0 || attempt < 0) return "";
  const bool writer_runs = ::kill(writer, 0) == 0 || errno == EPERM;
  return writer_runs ? "" : name.substr(0, end);
}

GrowingFile::GrowingFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666)) {
  if (descriptor_ < 0) throw file_error(path_, "write", errno);
  sync_path(path_.has_parent_path() ? path_.parent_path() : ".");  // the name of a new file
}

GrowingFile::~GrowingFile() {
  ::close(descriptor_);
}

void GrowingFile::append(std::span<const std::byte> bytes) {
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  ssize_t written = 0;
  do {
    written = ::write(descriptor_, bytes.data(), bytes.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(bytes.size())) return;
  // A short write means a full disk or a size limit. The partial data must not remain.
  const int error = written < 0 ? errno : ENOSPC;
  if (::ftruncate(descriptor_, before) != 0) throw file_error(path_, "write, nor undo a partial write", errno);
  throw file_error(path_, "write", error);
}

void GrowingFile::sync() {
  if (::fsync(descriptor_) != 0) throw file_error(path_, "write", errno);
}

void GrowingFile::cut_after_last(std::byte end) {
  off_t size = ::lseek(descriptor_, 0, SEEK_END);
  std::byte last = end;
  while (size > 0 && ::pread(descriptor_, &last, 1, size - 1) == 1 && last != end) --size;
  if (::ftruncate(descriptor_, size) != 0) throw file_error(path_, "write", errno);
}

InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  // O_NONBLOCK: opening a pipe without a writer must not block.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) throw file_error(path, "read", errno);
  if (!S_ISREG(status.st_mode))
    throw Error(fmt::format("{}: cannot read: {}; expected a regular file", path.string(),
                            S_ISDIR(status.st_mode) ? "is a folder" : "is a device, pipe or socket"));
  size_ = status.st_size;
  descriptor_ = file.release();
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

void InputFile::read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::read(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw file_error(path_, "read", errno);
    if (count == 0)
      throw Error(fmt::format("{}: unexpected end of file; is another process writing it?", path_.string()));
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void InputFile::seek(int64_t place) {
  if (::lseek(descriptor_, place, SEEK_SET) < 0) throw file_error(path_, "read", errno);
}

std::string read_file(const std::filesystem::path& path, int64_t limit) {
  InputFile file(path);
  if (file.size() > limit)
    throw Error(fmt::format("{}: too large: {} bytes; at most {} are allowed; is this the right file?", path.string(),
                            file.size(), limit));
  std::string bytes(static_cast<size_t>(file.size()), '\0');
  file.read(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension) {
  std::vector<std::filesystem::path> files;
  std::error_code missing;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder, missing)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void ensure_directory(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return;
  const std::filesystem::path parent = path.parent_path().empty() ? "." : path.parent_path();
  if (parent != path) ensure_directory(parent);
  std::filesystem::create_directory(path, error);
  if (!error && !std::filesystem::is_directory(path)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) throw file_error(path, "create the folder", error.value());
  sync_path(parent);
}

void sync_path(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw file_error(path, "open", errno);
  // EINVAL: some network file systems cannot sync a folder.
  if (::fsync(file.get()) != 0 && errno != EINVAL) throw file_error(path, "write", errno);
}

}  // namespace frgan
