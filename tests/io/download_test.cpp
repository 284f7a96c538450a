#include "frgan/io/download.h"

#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_size_limit.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Short pauses, so that the tests are fast.
constexpr DownloadLimits kFast = {.first_pause = std::chrono::milliseconds(1)};

void fast_download(const std::string& url, const std::filesystem::path& path, const std::string& digest,
                   const DownloadProgress& progress = {}) {
  download(url, path, digest, progress, kFast);
}

// An HTTP server on the loopback device. It handles one request per connection: it sends the bytes of the next answer
// and closes the connection. The last answer is repeated.
class Server {
 public:
  struct Answer {
    std::function<std::string(const std::string& request)> reply;
    // Sent after the reply, again and again with this pause, until the client closes the connection.
    std::string repeated = "";
    std::chrono::milliseconds pause{0};
  };

  explicit Server(std::vector<Answer> answers) : answers_(std::move(answers)) {
    ::setenv("no_proxy", "127.0.0.1", 1);
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, generic, &size) != 0)
      throw Error("the test server cannot listen");
    url_ = fmt::format("http://127.0.0.1:{}/file", ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);  // wakes accept
    thread_.join();
    ::close(listener_);
  }

  const std::string& url() const { return url_; }
  // The Range header of each request so far, or "" without one. Call it only while no request is in progress.
  const std::vector<std::string>& ranges() const { return ranges_; }

 private:
  void serve() {
    while (true) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      std::string request;
      char letter = 0;
      while (!request.ends_with("\r\n\r\n") && ::recv(connection, &letter, 1, 0) == 1) request += letter;
      const size_t range = request.find("Range: ");
      ranges_.push_back(range == std::string::npos ? ""
                                                   : request.substr(range + 7, request.find('\r', range) - range - 7));
      const Answer& answer = answers_[std::min(ranges_.size(), answers_.size()) - 1];
      const std::string reply = answer.reply(request);
      ::send(connection, reply.data(), reply.size(), MSG_NOSIGNAL);
      const std::string& more = answer.repeated;
      while (!more.empty() && ::send(connection, more.data(), more.size(), MSG_NOSIGNAL) > 0)
        std::this_thread::sleep_for(answer.pause);
      ::shutdown(connection, SHUT_WR);
      while (::recv(connection, &letter, 1, 0) == 1) continue;  // until the client has read everything
      ::close(connection);
    }
  }

  std::vector<Answer> answers_;
  std::vector<std::string> ranges_;
  int listener_ = -1;
  std::string url_;
  std::thread thread_;
};

const std::string kFile = [] {
  std::string text;
  for (int i = 0; text.size() < 100'000; ++i) text += fmt::format("line {}\n", i);
  return text;
}();

// Sends the first `count` bytes of the file, or of the requested range, but announces the full length.
Server::Answer sends(size_t count) {
  return {[count](const std::string& request) {
    const size_t range = request.find("Range: bytes=");
    if (range == std::string::npos)
      return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", kFile.size(), kFile.substr(0, count));
    const size_t begin = std::strtoul(request.c_str() + range + 13, nullptr, 10);
    if (begin >= kFile.size()) return std::string("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n");
    return fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\nContent-Length: {}\r\n\r\n{}",
                       begin, kFile.size() - 1, kFile.size(), kFile.size() - begin, kFile.substr(begin, count));
  }};
}

Server::Answer ignores_ranges() {
  return {[](const std::string&) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", kFile.size(), kFile);
  }};
}

Server::Answer replies(std::string text) {
  return {[text = std::move(text)](const std::string&) { return text; }};
}

// Sends a response of this header, and `text` again and again.
Server::Answer repeats(const std::string& header, std::string text, std::chrono::milliseconds pause = {}) {
  return {replies("HTTP/1.1 200 OK\r\n" + header + "\r\n").reply, std::move(text), pause};
}

TEST(Download, FetchesAFile) {
  const TemporaryFolder folder;
  const Server server({sends(kFile.size())});
  int64_t last = 0;
  fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)), [&](int64_t received, int64_t total) {
    EXPECT_GE(received, last);
    EXPECT_TRUE(total == -1 || total == static_cast<int64_t>(kFile.size()));
    last = received;
    return true;
  });
  EXPECT_EQ(read_file(folder / "file"), kFile);
  EXPECT_EQ(last, static_cast<int64_t>(kFile.size()));
  EXPECT_EQ(folder.count(), 1);
  fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)));  // it exists: nothing is downloaded
  EXPECT_THAT(server.ranges(), ElementsAre(""));
}

TEST(Download, ReconnectsAfterABrokenConnection) {
  const TemporaryFolder folder;
  const Server server({sends(30'000), sends(20'000), sends(kFile.size())});
  fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)));
  EXPECT_EQ(read_file(folder / "file"), kFile);
  EXPECT_THAT(server.ranges(), ElementsAre("", "bytes=30000-", "bytes=50000-"));
}

TEST(Download, GivesUpAfterSomeConnections) {
  const TemporaryFolder folder;
  const Server server({sends(100)});
  EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile))); }),
              HasSubstr("; 500 bytes are kept in "));
  EXPECT_EQ(server.ranges().size(), 5U);
}

// Without a limit, the download would alternate forever between a truncated part and a refused range.
TEST(Download, GivesUpIfTheServerTruncatesAndIgnoresRanges) {
  const TemporaryFolder folder;
  const std::string start = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nsome", kFile.size());
  const Server server({replies(start)});
  EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile))); }),
              HasSubstr(": download failed: "));
  EXPECT_EQ(server.ranges().size(), 5U);
}

TEST(Download, PausesBetweenConnections) {
  const TemporaryFolder folder;
  const Server server({sends(100)});
  const DownloadLimits limits = {.connections = 3, .first_pause = std::chrono::milliseconds(150)};
  const auto start = std::chrono::steady_clock::now();
  error_of([&] { download(server.url(), folder / "file", sha256(bytes_of(kFile)), {}, limits); });
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(150 + 300));
}

TEST(Download, CanBeStoppedDuringAPause) {
  const TemporaryFolder folder;
  const Server server({sends(100)});
  const DownloadLimits limits = {.first_pause = std::chrono::hours(1)};
  const auto stop_after_some = [](int64_t received, int64_t total) { return received == 0 || total >= 0; };
  EXPECT_THAT(
      error_of([&] { download(server.url(), folder / "file", sha256(bytes_of(kFile)), stop_after_some, limits); }),
      HasSubstr(": stopped; 100 bytes are kept in "));
}

TEST(Download, StopsAnEndlessBody) {
  const TemporaryFolder folder;
  const DownloadLimits limits = {.bytes = 1'000'000};
  const auto refusal = [&](const std::string& header) {
    const Server server({repeats(header, kFile)});
    const std::string message =
        error_of([&] { download(server.url(), folder / "file", sha256(bytes_of(kFile)), {}, limits); });
    EXPECT_EQ(server.ranges().size(), 1U);
    EXPECT_EQ(folder.count(), 0);
    return message;
  };
  EXPECT_THAT(refusal(""), HasSubstr("too large: more than 1000000 bytes; the download was deleted; check the URL"));
  EXPECT_THAT(refusal("Content-Length: 1000001\r\n"), HasSubstr("too large: more than 1000000 bytes"));
  // The announced size ends the download.
  EXPECT_THAT(refusal("Content-Length: 50000\r\n"), HasSubstr("wrong SHA-256 of the download"));
}

TEST(Download, GivesUpOnASlowServer) {
  const TemporaryFolder folder;
  const DownloadLimits limits = {.connections = 1, .bytes_per_second = 1000, .slow_time = std::chrono::seconds(1)};
  const Server server({repeats("Content-Length: 1000\r\n", "x", std::chrono::milliseconds(20))});
  EXPECT_THAT(error_of([&] { download(server.url(), folder / "file", sha256(bytes_of(kFile)), {}, limits); }),
              testing::AllOf(HasSubstr(": download failed: "), HasSubstr("bytes are kept in ")));
}

TEST(Download, DoesNotFollowALink) {
  const TemporaryFolder folder;
  const Server server({sends(kFile.size())});
  for (const std::string& text : {std::string("mine"), kFile}) {
    write_file_safely(folder / "target", text);
    std::filesystem::create_symlink(folder / "target", folder / "file.part");
    EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile))); }),
                HasSubstr("file.part: cannot write: exists and is not a regular file; remove it"));
    EXPECT_EQ(read_file(folder / "target"), text);
    EXPECT_FALSE(std::filesystem::exists(folder / "file"));
    std::filesystem::remove(folder / "file.part");
  }
  EXPECT_EQ(::mkfifo((folder / "file.part").c_str(), 0600), 0);
  EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile))); }),
              HasSubstr("is not a regular file"));
}

TEST(Download, NextCallResumes) {
  const TemporaryFolder folder;
  {
    const Server server({sends(30'000), replies("")});
    EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile))); }),
                HasSubstr("; 30000 bytes are kept in " + (folder / "file.part").string() + "; run again to resume"));
    EXPECT_FALSE(std::filesystem::exists(folder / "file"));
  }
  const Server server({sends(kFile.size())});
  int64_t first = -1;
  fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)), [&](int64_t received, int64_t /*total*/) {
    if (first < 0) first = received;
    return true;
  });
  EXPECT_EQ(first, 30'000);
  EXPECT_EQ(read_file(folder / "file"), kFile);
  EXPECT_THAT(server.ranges(), ElementsAre("bytes=30000-"));
  EXPECT_EQ(folder.count(), 1);
}

TEST(Download, StartsOverIfTheServerIgnoresRanges) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file.part", kFile.substr(0, 500));
  const Server server({ignores_ranges()});
  fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)));
  EXPECT_EQ(read_file(folder / "file"), kFile);
  EXPECT_THAT(server.ranges(), ElementsAre("bytes=500-", ""));
}

TEST(Download, UsesACompletePart) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file.part", kFile);
  fast_download("http://127.0.0.1:1/nothing-listens-here", folder / "file", sha256(bytes_of(kFile)));
  EXPECT_EQ(read_file(folder / "file"), kFile);
}

TEST(Download, StartsOverIfThePartIsTooLong) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file.part", kFile + "more");
  const Server server({sends(kFile.size())});
  fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)));
  EXPECT_EQ(read_file(folder / "file"), kFile);
  EXPECT_EQ(server.ranges().size(), 2U);
}

TEST(Download, DeletesADownloadWithAWrongDigest) {
  const TemporaryFolder folder;
  const Server server({sends(kFile.size())});
  EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of("other"))); }),
              HasSubstr(fmt::format("wrong SHA-256 of the download: {}; expected {}", sha256(bytes_of(kFile)),
                                    sha256(bytes_of("other")))));
  EXPECT_EQ(folder.count(), 0);
}

TEST(Download, DoesNotReplaceAnotherFile) {
  const TemporaryFolder folder;
  write_file_safely(folder / "file", std::string_view("mine"));
  EXPECT_THAT(error_of([&] { fast_download("http://127.0.0.1:1/", folder / "file", sha256(bytes_of(kFile))); }),
              HasSubstr("file: the existing file has SHA-256 " + sha256(bytes_of("mine"))));
  EXPECT_EQ(read_file(folder / "file"), "mine");
}

TEST(Download, ServerErrorsLeaveNoFile) {
  const TemporaryFolder folder;
  const auto message_of = [&](const std::string& answer) {
    const Server server({replies(answer)});
    const std::string message =
        error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile))); });
    EXPECT_THAT(message, StartsWith(server.url() + ": download failed: "));
    EXPECT_THAT(message, HasSubstr("; check the URL and the network"));
    return message;
  };
  EXPECT_THAT(message_of("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nsorry"), HasSubstr("404"));
  EXPECT_THAT(message_of("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), HasSubstr("500"));
  EXPECT_THAT(message_of("nonsense\r\n\r\n"), Not(HasSubstr("nonsense")));
  EXPECT_THAT(message_of("HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n"),
              HasSubstr("file"));
  EXPECT_EQ(folder.count(), 0);
  EXPECT_THAT(error_of([&] { fast_download("http://127.0.0.1:1/", folder / "file", sha256(bytes_of(kFile))); }),
              HasSubstr("connect"));
  EXPECT_THAT(error_of([&] { fast_download("file:///etc/hostname", folder / "file", sha256(bytes_of(kFile))); }),
              HasSubstr("file"));
  EXPECT_EQ(folder.count(), 0);
}

TEST(Download, CanBeStopped) {
  const TemporaryFolder folder;
  const Server server({sends(30'000), replies("")});
  const auto stop_after_some = [](int64_t received, int64_t /*total*/) { return received == 0; };
  EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)), stop_after_some); }),
              HasSubstr(": stopped; "));
  EXPECT_FALSE(std::filesystem::exists(folder / "file"));
}

TEST(Download, FullDiskKeepsThePart) {
  const TemporaryFolder folder;
  const Server server({sends(kFile.size())});
  {
    const FileSizeLimit limit(50'000);
    EXPECT_THAT(error_of([&] { fast_download(server.url(), folder / "file", sha256(bytes_of(kFile))); }),
                HasSubstr("file.part: cannot write: "));
  }
  EXPECT_EQ(std::filesystem::file_size(folder / "file.part"), 50'000U);
  fast_download(server.url(), folder / "file", sha256(bytes_of(kFile)));
  EXPECT_EQ(read_file(folder / "file"), kFile);
  EXPECT_THAT(error_of([&] { fast_download(server.url(), folder.path() / "none" / "file", sha256(bytes_of(kFile))); }),
              HasSubstr("file.part: cannot write: No such file"));
}

}  // namespace
}  // namespace frgan
