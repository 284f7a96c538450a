// Reading files, and writing them atomically: a file appears complete or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/error.h"

namespace frgan {

// The bytes of a text, for the functions below.
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// A file that is written atomically. The data goes to "NAME.partial-PID" in the same folder. `commit` syncs this file,
// renames it to NAME and syncs the folder. Without a commit, the destructor removes it, so no reader sees a partial
// file.
//
//   SafeFile file("summary.json");
//   file.write(bytes_of(text));
//   file.commit();
class SafeFile {
 public:
  // Throws an Error that names the path and the remedy if the folder is missing or not writable, or if the path is
  // something other than a regular file. A link is refused too: it could lead out of a run folder.
  explicit SafeFile(const std::filesystem::path& path);
  SafeFile(const SafeFile&) = delete;
  SafeFile& operator=(const SafeFile&) = delete;
  ~SafeFile();

  // Throws an Error if the disk is full or a file-size limit is reached (for the latter, SIGXFSZ must be ignored).
  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  void close_and_remove() noexcept;

  std::filesystem::path path_;
  std::filesystem::path partial_;
  int descriptor_ = -1;
};

// Creates, writes and commits a SafeFile in one call.
void write_file_safely(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_safely(const std::filesystem::path& path, std::string_view text);

// The final name of a SafeFile that was left by a killed process: "labels.json" for "labels.json.partial-4711" of
// process 4711. Empty for other names, for paths that are not regular files, and while that process still runs.
std::string name_of_unfinished(const std::filesystem::path& path);

// A file that grows while the program runs. Each append is visible at once and complete. If the program is killed, at
// most the last piece is truncated. After a power failure, at least everything before the last `sync` is there.
class GrowingFile {
 public:
  // Creates the file if needed. Throws an Error that names the file if it cannot be written or is a link.
  explicit GrowingFile(const std::filesystem::path& path);
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  ~GrowingFile();

  // Throws an Error if the piece cannot be written completely, for example on a full disk; the file is unchanged then.
  void append(std::span<const std::byte> bytes);
  // Waits until all appended data is on disk (fsync).
  void sync();
  // Truncates the file after the last byte equal to `end`, or to length 0 if there is none.
  void cut_after_last(std::byte end);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

// A regular file that is read in pieces.
class InputFile {
 public:
  // Throws an Error if the file is missing, unreadable or not a regular file.
  explicit InputFile(const std::filesystem::path& path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  int64_t size() const { return size_; }
  // Fills `bytes` with the next bytes of the file. Throws an Error if the file has fewer.
  void read(std::span<std::byte> bytes);
  // Moves the read position to `place` bytes from the start of the file.
  void seek(int64_t place);

 private:
  std::filesystem::path path_;
  int64_t size_ = 0;
  int descriptor_ = -1;
};

// All bytes of a regular file. Throws an Error if it is missing, unreadable, not a regular file, or larger than `limit`
// bytes.
std::string read_file(const std::filesystem::path& path, int64_t limit = int64_t{1} << 32);

// The files in a folder with this extension (".json"), sorted by name. Empty if the folder does not exist.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension);

// Creates the folder and its parents if needed, and syncs their names to disk. Throws an Error if that fails, for
// example because a file is there.
void ensure_directory(const std::filesystem::path& path);

// Syncs a file or folder to disk (fsync), so that its contents or renames survive a power failure.
void sync_path(const std::filesystem::path& path);

// The error for a failed system call: "PATH: cannot ACTION: REASON; HINT". `error_number` is the value of errno.
Error file_error(const std::filesystem::path& path, std::string_view action, int error_number);

}  // namespace frgan
