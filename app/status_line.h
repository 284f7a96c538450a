// A progress line on stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <unistd.h>

#include "app/console.h"

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
      if (calls_++ % kCallsPerLine == 0) print_message("{}\n", line);
      return;
    }
    write_to_stderr(kErase);
    print_message("{}", line);
    drawn_ = true;
  }
  // Prints a line that stays.
  void print(const std::string& line) {
    if (quiet_) return;
    clear();
    print_message("{}\n", line);
  }

  void clear() {
    if (drawn_) write_to_stderr(kErase);
    drawn_ = false;
  }

 private:
  static constexpr std::string_view kErase = "\r\x1b[K";

  bool quiet_;
  bool drawn_ = false;
  int64_t calls_ = 0;
};

}  // namespace frgan
