// The library's exception type, and functions for the texts of messages.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace frgan {

// Escapes what a terminal could take for a command, so that the text prints as one line: a line break becomes "\n", an
// escape character "\x1b", and a byte that is not UTF-8 "\xff". File and class names may contain any bytes.
std::string one_line(std::string_view text);

// "1 byte", "2 bytes": for a noun whose plural ends in s.
std::string counted(int64_t count, std::string_view noun);

// Determines the exit status of the program: kUsage for a wrong command (2), kFailure for any other failure (1).
// kStopped: the work was stopped on request; the program ends with 128 + the number of the signal.
enum class ErrorKind { kFailure, kUsage, kStopped };

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
