// Which operators ran while a closure ran, and how long each took.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

// Calls of one name. Operators are LibTorch's ("aten::convolution"), nodes of the backward pass ("MulBackward0") and
// whatever of ours is under a RECORD_FUNCTION label ("frgan::activation").
struct OperatorTime {
  std::string name;
  std::string kind;  // what its time is for, from the table in operator_profile.cpp: "convolution, forward"
  int64_t calls = 0;
  double seconds = 0;  // its own: less that of the operators it called
};

// Calls of all operators of one kind.
struct KindTime {
  std::string kind;
  int64_t calls = 0;
  double seconds = 0;
};

// A part of the closure under a RECORD_USER_SCOPE label, whole.
struct ScopeTime {
  std::string name;
  int64_t calls = 0;
  double seconds = 0;
};

struct OperatorProfile {
  double seconds = 0;                   // of the whole closure
  int64_t calls = 0;                    // of all operators
  std::vector<OperatorTime> operators;  // one for each name and kind, the longest first
  std::vector<ScopeTime> scopes;        // in the order in which they were first left
  // The longest first, and last the kind "outside operators": what no operator and no label covers.
  std::vector<KindTime> kinds() const;
};

// Runs the closure and watches it, in all threads. Watching costs about a microsecond for each operator. Not for two
// threads at a time.
OperatorProfile profile_operators(const std::function<void()>& closure);

// The kind of an operator that is called on its own; "other" where the table does not know it.
std::string_view operator_kind(std::string_view name);

}  // namespace frgan
