// A line about work that goes on.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace frgan {

// A line at the bottom of a terminal, drawn anew; elsewhere a line a minute.
class StatusLine {
 public:
  ~StatusLine() { clear(); }
  void show(const std::string& line) {
    constexpr int64_t kCallsPerLine = 60;  // a call a second
    if (isatty(STDERR_FILENO) == 0) {
      if (calls_++ % kCallsPerLine == 0) fmt::print(stderr, "{}\n", line);
      return;
    }
    fmt::print(stderr, "\r\x1b[K{}", line);
    std::fflush(stderr);
    stands_ = true;
  }
  void say(const std::string& line) {
    clear();
    fmt::print(stderr, "{}\n", line);
  }

 private:
  void clear() {
    if (stands_) fmt::print(stderr, "\r\x1b[K");
    stands_ = false;
  }
  bool stands_ = false;
  int64_t calls_ = 0;
};

}  // namespace frgan
