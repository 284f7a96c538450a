// Whole files: read at once, and written so that they appear whole or not at all.
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

// The bytes of a text or of a vector of numbers, for the functions below.
inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// A file that is written beside its final name ("NAME.partial-PID") and renamed by `commit`, after it and before its
// folder is synced. Without a commit the destructor removes it, so nobody ever sees half a file.
//
//   SafeFile file("summary.json");
//   file.write(bytes_of(text));
//   file.commit();
class SafeFile {
 public:
  // Throws an Error that names the path and what to do about it: unwritable or missing folder, not a regular file.
  explicit SafeFile(const std::filesystem::path& path);
  SafeFile(const SafeFile&) = delete;
  SafeFile& operator=(const SafeFile&) = delete;
  ~SafeFile();

  // Throws when the disk is full or a file-size limit is met (the program must ignore SIGXFSZ for the latter).
  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  void close_and_remove() noexcept;

  std::filesystem::path path_;
  std::filesystem::path partial_;
  int descriptor_ = -1;
};

// The whole of a SafeFile in one call.
void write_file_safely(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_safely(const std::filesystem::path& path, std::string_view text);

// The name of the file that a SafeFile was to become: "labels.json" for "labels.json.partial-4711", which process 4711
// left when it was killed while it wrote. Empty for other names, for what is no file, and while such a process runs.
std::string name_of_unfinished(const std::filesystem::path& path);

// A file that grows while a program runs. What is appended in one call is there at once, and whole: a killed program
// leaves at most the last piece cut.
class GrowingFile {
 public:
  // Makes the file where there is none. Throws an Error that names it when it cannot be written.
  explicit GrowingFile(const std::filesystem::path& path);
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  ~GrowingFile();

  // Throws when the piece cannot be written whole (full disk); the file is then as it was.
  void append(std::span<const std::byte> bytes);
  // Back to the last such byte, which stays; to nothing where there is none.
  void cut_after_last(std::byte end);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

// A regular file that is read piece by piece.
class InputFile {
 public:
  // Throws when it is missing, unreadable or no regular file.
  explicit InputFile(const std::filesystem::path& path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  int64_t size() const { return size_; }
  // Fills all of `bytes` with the next ones; throws when the file ends before.
  void read(std::span<std::byte> bytes);
  // The next byte to read, counted from the beginning of the file.
  void seek(int64_t place);

 private:
  std::filesystem::path path_;
  int64_t size_ = 0;
  int descriptor_ = -1;
};

// All bytes of a regular file. Throws when it is missing, unreadable, no regular file, or has more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, int64_t limit = int64_t{1} << 40);

// Files of a folder whose names end in `extension` (".json"), by name; none where there is no folder.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder, std::string_view extension);

// Makes the folder and those above it, where they do not exist; throws when it cannot or when a file is in the way.
void ensure_directory(const std::filesystem::path& path);

// Makes what was renamed in a folder, or written to a file, last through a power cut.
void sync_path(const std::filesystem::path& path);

// The error of a failed system call: "PATH: cannot ACTION: REASON; HINT". `error_number` is errno's value.
Error file_error(const std::filesystem::path& path, std::string_view action, int error_number);

}  // namespace frgan
