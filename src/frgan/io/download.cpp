#include "frgan/io/download.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>
#include <thread>

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frgan/core/error.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// The partial file of a download, with libcurl's callbacks.
class Part {
 public:
  Part(const fs::path& path, const DownloadProgress& progress, int64_t limit)
      : path_(path), progress_(progress), limit_(limit) {
    // O_NOFOLLOW: a symbolic link in a folder from elsewhere must not redirect the download. O_NONBLOCK: opening a pipe
    // must not block.
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) throw file_error(path, "write", errno);
    size_ = status.st_size;
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() { ::close(descriptor_); }

  int64_t begin() const { return begin_; }  // bytes from earlier connections
  int64_t size() const { return size_; }
  int write_error() const { return write_error_; }  // errno of a failed write, else 0
  bool too_large() const { return too_large_; }     // the server sent more bytes than the limit
  bool stopped() const { return progress_ && !progress_(size_, -1); }

  // To be called before each connection.
  void start_connection() { begin_ = size_; }
  void clear() {
    if (::ftruncate(descriptor_, 0) != 0) throw file_error(path_, "write", errno);
    size_ = 0;
  }

  static size_t write(char* data, size_t /*one*/, size_t count, void* self) {
    auto& part = *static_cast<Part*>(self);
    part.too_large_ = static_cast<int64_t>(count) > part.limit_ - part.size_;
    if (part.too_large_) return 0;  // libcurl then closes the connection
    const ssize_t written = ::write(part.descriptor_, data, count);
    if (written != static_cast<ssize_t>(count)) part.write_error_ = written < 0 ? errno : ENOSPC;
    if (written > 0) part.size_ += written;
    return written < 0 ? 0 : static_cast<size_t>(written);
  }

  static int report(void* self, curl_off_t total, curl_off_t received, curl_off_t /*up_total*/, curl_off_t /*up*/) {
    const auto& part = *static_cast<Part*>(self);
    const int64_t whole = total > 0 ? part.begin_ + total : -1;
    return !part.progress_ || part.progress_(part.begin_ + received, whole) ? 0 : 1;
  }

 private:
  fs::path path_;
  const DownloadProgress& progress_;
  int64_t limit_;
  int descriptor_ = -1;
  int64_t begin_ = 0;
  int64_t size_ = 0;
  int write_error_ = 0;
  bool too_large_ = false;
};

struct Outcome {
  CURLcode code = CURLE_OK;
  long status = 0;  // HTTP status code
  std::string message;
};

// Opens one connection and appends the received bytes to the part.
Outcome connect(const std::string& url, Part& part, const DownloadLimits& limits) {
  part.start_connection();
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), &curl_easy_cleanup);
  if (ready != CURLE_OK || handle == nullptr) throw Error(fmt::format("{}: cannot initialize libcurl", url));
  std::array<char, CURL_ERROR_SIZE> message{};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(handle.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_ERRORBUFFER, message.data());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, 5L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "frgan");
  set(CURLOPT_CONNECTTIMEOUT, 30L);
  set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(limits.bytes_per_second));
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.slow_time.count()));
  // Of this connection; 0 would mean no limit. It applies to sizes that the server announces, Part::write to all
  // others.
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(std::max<int64_t>(1, limits.bytes - part.begin())));
  set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(part.begin()));
  set(CURLOPT_WRITEFUNCTION, &Part::write);
  set(CURLOPT_WRITEDATA, &part);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Part::report);
  set(CURLOPT_XFERINFODATA, &part);

  Outcome outcome;
  outcome.code = curl_easy_perform(handle.get());
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &outcome.status);
  outcome.message = message[0] != '\0' ? message.data() : curl_easy_strerror(outcome.code);
  return outcome;
}

bool is_broken_connection(CURLcode code) {
  return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_OPERATION_TIMEDOUT ||
         code == CURLE_GOT_NOTHING;
}

// Waits before the next connection. Returns early if the caller stops the download.
void wait(const Part& part, std::chrono::milliseconds pause) {
  constexpr std::chrono::milliseconds kPiece{100};
  for (; pause.count() > 0 && !part.stopped(); pause -= kPiece) std::this_thread::sleep_for(std::min(pause, kPiece));
}

// Completes the part, or throws. Reconnects if a broken connection brought data.
void fetch(const std::string& url, const fs::path& part_path, const DownloadProgress& progress,
           const DownloadLimits& limits) {
  constexpr long kRangeNotSatisfiable = 416;
  Part part(part_path, progress, limits.bytes);
  Outcome outcome;
  for (int connection = 1;; ++connection) {
    outcome = connect(url, part, limits);
    if (outcome.code == CURLE_ABORTED_BY_CALLBACK || part.write_error() != 0) break;
    // The server does not support ranges, or the part is longer than the file. libcurl reports the latter as success.
    const bool no_range =
        part.begin() > 0 && (outcome.code == CURLE_RANGE_ERROR || outcome.status == kRangeNotSatisfiable);
    if (no_range) part.clear();
    if (outcome.code == CURLE_OK && !no_range) return;
    const bool goes_on = no_range || (is_broken_connection(outcome.code) && part.size() > part.begin());
    if (!goes_on || connection >= limits.connections) break;
    wait(part, limits.first_pause * (int64_t{1} << std::min(connection - 1, 20)));
  }

  if (part.too_large() || outcome.code == CURLE_FILESIZE_EXCEEDED) {
    fs::remove(part_path);
    throw Error(
        fmt::format("{}: too large: more than {} bytes; the download was deleted; check the URL", url, limits.bytes));
  }
  const std::string kept =
      part.size() > 0 ? fmt::format("{} bytes are kept in {}; run again to resume", part.size(), part_path.string())
                      : std::string("check the URL and the network");
  if (part.size() == 0) fs::remove(part_path);
  if (outcome.code == CURLE_ABORTED_BY_CALLBACK) throw Error(fmt::format("{}: stopped; {}", url, kept));
  if (part.write_error() != 0) throw file_error(part_path, "write", part.write_error());
  throw Error(fmt::format("{}: download failed: {}; {}", url, outcome.message, kept));
}

}  // namespace

void download(const std::string& url, const fs::path& path, const std::string& sha256, const DownloadProgress& progress,
              const DownloadLimits& limits) {
  const bool any_content = sha256.empty();
  if (fs::exists(path)) {
    if (any_content) return;
    const std::string found = file_digest(path);
    if (found == sha256) return;
    throw Error(fmt::format("{}: the existing file has SHA-256 {}; {} has {}; move the file away to download it again",
                            path.string(), found, url, sha256));
  }
  const fs::path part = fs::path(path) += ".part";
  const fs::file_type type = fs::symlink_status(part).type();
  if (type != fs::file_type::regular && type != fs::file_type::not_found)
    throw Error(fmt::format("{}: cannot write: exists and is not a regular file; remove it", part.string()));
  // An earlier, interrupted call may have completed the part.
  if (type == fs::file_type::not_found || any_content || file_digest(part) != sha256) {
    fetch(url, part, progress, limits);
    const std::string found = any_content ? "" : file_digest(part);
    if (found != sha256) {
      fs::remove(part);
      throw Error(fmt::format(
          "{}: wrong SHA-256 of the download: {}; expected {}; the download was deleted; run again, or get the file "
          "elsewhere",
          url, found, sha256));
    }
  }
  sync_path(part);
  if (::rename(part.c_str(), path.c_str()) != 0) throw file_error(path, "write", errno);
  sync_path(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

}  // namespace frgan
