// A progress line on stderr.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace frgan {

// On a terminal, one line that is redrawn; elsewhere one line per minute; nothing if quiet.
class StatusLine {
 public:
  explicit StatusLine(bool quiet) : quiet_(quiet) {}
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  ~StatusLine() { clear(); }
  void show(const std::string& line) {
    if (quiet_) return;
    constexpr int64_t kCallsPerLine = 60;  // at one call per second
    if (isatty(STDERR_FILENO) == 0) {
      if (calls_++ % kCallsPerLine == 0) fmt::print(stderr, "{}\n", line);
      return;
    }
    fmt::print(stderr, "\r\x1b[K{}", line);
    std::fflush(stderr);
    drawn_ = true;
  }
  // Prints a line that stays.
  void print(const std::string& line) {
    if (quiet_) return;
    clear();
    fmt::print(stderr, "{}\n", line);
  }

 private:
  void clear() {
    if (drawn_) fmt::print(stderr, "\r\x1b[K");
    drawn_ = false;
  }
  bool quiet_;
  bool drawn_ = false;
  int64_t calls_ = 0;
};

}  // namespace frgan
