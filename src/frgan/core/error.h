// The one exception type of the library.
#pragma once

#include <stdexcept>
#include <string>

namespace frgan {

// What a program that meets the error should exit with: the command was wrong (2), or the work failed (1).
enum class ErrorKind { kFailure, kUsage };

// Thrown wherever the input, the machine or the request makes the work impossible. The message is one line for people:
// what was found, what was expected, and what to do. Programming errors are asserted (TORCH_CHECK), not thrown as this.
//
//   throw Error("train_32x32.mat: X has shape 3x32x32, expected 32x32x3xN; is this the cropped-digits file?");
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ErrorKind kind = ErrorKind::kFailure)
      : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

// The error of a wrong option, configuration key or command; `main` exits with 2 on it.
inline Error usage_error(const std::string& message) {
  return Error(message, ErrorKind::kUsage);
}

}  // namespace frgan
