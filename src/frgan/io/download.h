// Downloads by HTTP and HTTPS (libcurl), checked and resumable.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace frgan {

// Called often, at least once a second, with the bytes that are there (of this and former tries) and the size of the
// whole, or -1 while it is not known. Gives false to stop; the part that is there stays for the next try. Must not
// throw.
using DownloadProgress = std::function<bool(int64_t received, int64_t total)>;

// Fetches `url` to `path`, by way of "PATH.part", which stays when the connection breaks: the next call goes on where
// it ended, where the server can (else anew). While a connection that broke had brought something, it is taken up again
// by itself. The file gets its name only when its MD5 is `md5` (32 lower-case hexadecimal digits). A
// file that is already there with that checksum is left and nothing is fetched; another one is an error. Throws an
// Error that names the URL and the reason, and says whether trying again goes on or begins anew.
void download(const std::string& url, const std::filesystem::path& path, const std::string& md5,
              const DownloadProgress& progress = {});

}  // namespace frgan
