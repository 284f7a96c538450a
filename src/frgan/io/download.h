// Verified and resumable downloads over HTTP and HTTPS (libcurl).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace frgan {

// Callback with the number of bytes present, including those of earlier calls, and the total size, or -1 while unknown.
// Called at least once per second. Return false to stop; the partial file is kept for the next call. Must not throw.
using DownloadProgress = std::function<bool(int64_t received, int64_t total)>;

// Downloads `url` to `path`. Data goes to "PATH.part", which is renamed once its MD5 equals `md5` (32 lower-case
// hexadecimal digits). If a connection breaks after it brought data, the download reconnects. On failure the part is
// kept, and the next call resumes it if the server supports ranges, else starts over. If `path` already exists with
// this MD5, nothing is downloaded; an existing file with another MD5 is an error. Throws an Error that names the URL,
// the reason, and whether another call resumes.
void download(const std::string& url, const std::filesystem::path& path, const std::string& md5,
              const DownloadProgress& progress = {});

}  // namespace frgan
