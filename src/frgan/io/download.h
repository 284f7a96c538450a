// Verified and resumable downloads over HTTP and HTTPS (libcurl).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace frgan {

// Callback with the number of bytes present, including those of earlier calls, and the total size, or -1 while unknown.
// Called at least once per second. Return false to stop; the partial file is kept for the next call. Must not throw.
using DownloadProgress = std::function<bool(int64_t received, int64_t total)>;

// Protects against servers that are broken, slow or hostile.
struct DownloadLimits {
  int64_t bytes = int64_t{1} << 32;             // largest file
  int connections = 5;                          // of one call
  std::chrono::milliseconds first_pause{1000};  // before the second connection; each further pause is twice as long
  int64_t bytes_per_second = 1000;              // a connection is closed if it is slower
  std::chrono::seconds slow_time{30};           // for this time
};

// Downloads `url` to `path`. Data goes to "PATH.part", which is renamed once its SHA-256 equals `sha256` (64 lower-case
// hexadecimal digits); with an empty `sha256`, once it is complete. If a connection breaks or is too slow after it
// brought data, the download reconnects. On failure the part is kept, and the next call resumes it if the server
// supports ranges, else starts over. If `path` already exists with this SHA-256, or `sha256` is empty, nothing is
// downloaded; an existing file with another SHA-256 is an error. So is a part that is not a regular file, such as a
// symbolic link. Throws an Error that names the URL, the reason, and whether another call resumes.
void download(const std::string& url, const std::filesystem::path& path, const std::string& sha256,
              const DownloadProgress& progress = {}, const DownloadLimits& limits = {});

}  // namespace frgan
