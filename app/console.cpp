#include "app/console.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include <fcntl.h>
#include <unistd.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

// Writes without a buffer, which the end of the program would flush again.
void write_if_possible(int descriptor, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

void open_closed_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // `open` returns the lowest free number, which is `descriptor`. A stdout that is open for reading only makes every
    // write fail, so that a command does not end with success without its results.
    [[maybe_unused]] const int opened = open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

void ignore_broken_output() {
  std::signal(SIGPIPE, SIG_IGN);
}

std::string printable(std::string_view text) {
  std::string lines;
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    lines += one_line(text.substr(0, end)) + '\n';
  }
  return lines + one_line(text);
}

std::string json_text(const Json& json, int indent) {
  // JSON requires escapes for control characters below U+0020 only. These others are U+007F and U+0080 to U+009F, which
  // UTF-8 encodes as C2 80 to C2 9F.
  constexpr char kDelete = '\x7f', kLead = '\xc2';
  const std::string text = json.dump(indent);
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    if (text[i] == kDelete) {
      escaped += "\\u007f";
    } else if (text[i] == kLead && next < 0xa0) {
      escaped += fmt::format("\\u{:04x}", next);
      ++i;
    } else {
      escaped += text[i];
    }
  }
  return escaped;
}

void write_to_stderr(std::string_view bytes) noexcept {
  write_if_possible(STDERR_FILENO, bytes);
}

void vprint_message(fmt::string_view format, fmt::format_args arguments) noexcept try {
  write_to_stderr(printable(fmt::vformat(format, arguments)));
} catch (const std::exception&) {  // out of memory
}

void vprint_output(fmt::string_view format, fmt::format_args arguments) {
  const std::string text = printable(fmt::vformat(format, arguments));
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return;
  throw Error(fmt::format("cannot write the output to stdout: {}", std::strerror(errno)));
}

void vprint_unattended(fmt::string_view format, fmt::format_args arguments) {
  std::fflush(stdout);
  write_if_possible(STDOUT_FILENO, printable(fmt::vformat(format, arguments)));
}

}  // namespace frgan
