// The library's exception type.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace frgan {

// Escapes the control characters of a text, so that it prints as one line on a terminal: a line break becomes "\n", an
// escape character "\x1b". File names in messages may contain such characters.
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

// Determines the exit status of the program: kUsage for a wrong command (2), kFailure for any other failure (1).
enum class ErrorKind { kFailure, kUsage };

// Thrown if the input, the machine or the request makes the work impossible. The message is one line: what is wrong,
// what was found, what is allowed, and what to do. Programming errors are assertions (TORCH_CHECK), not this type.
//
//   throw Error("train_32x32.mat: X has shape 3x32x32; expected 32x32x3xN; is this the cropped-digits file?");
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::kFailure)
      : std::runtime_error(one_line(message)), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

// The error for a wrong option, configuration key or command; `main` then exits with status 2.
inline Error usage_error(const std::string& message) {
  return Error(message, ErrorKind::kUsage);
}

}  // namespace frgan
