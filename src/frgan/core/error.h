// The one exception type of the library.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace frgan {

// The text as one line for a terminal, whatever names of files or words are in it: a line break becomes "\n", and any
// other control character "\x1b".
inline std::string one_line(const std::string& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && code != 0x7f) {
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else {
      line += {'\\', 'x', kHex[code / 16], kHex[code % 16]};
    }
  }
  return line;
}

// What a program that meets the error should exit with: the command was wrong (2), or the work failed (1).
enum class ErrorKind { kFailure, kUsage };

// Thrown wherever the input, the machine or the request makes the work impossible. The message is one line for people:
// what was found, what was expected, and what to do. Programming errors are asserted (TORCH_CHECK), not thrown as this.
//
//   throw Error("train_32x32.mat: X has shape 3x32x32, expected 32x32x3xN; is this the cropped-digits file?");
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::kFailure)
      : std::runtime_error(one_line(message)), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

// What another library's error says, without the "[json.exception.type_error.302] " that it may begin with.
inline std::string_view problem_of(const std::exception& error) {
  const std::string_view text = error.what();
  const size_t end = text.starts_with('[') ? text.find("] ") : std::string_view::npos;
  return end == std::string_view::npos ? text : text.substr(end + 2);
}

// The error of a wrong option, configuration key or command; `main` exits with 2 on it.
inline Error usage_error(const std::string& message) {
  return Error(message, ErrorKind::kUsage);
}

}  // namespace frgan
