// Profiles a closure: the operators that it runs, the time of each, and the tensor memory that it allocates.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

// All calls of operators with the same name and kind. An operator is a LibTorch operator ("aten::convolution"), a node
// of the backward pass ("MulBackward0") or frgan code with a RECORD_FUNCTION label ("frgan::activation").
struct OperatorTime {
  std::string name;
  std::string kind;  // from the table in operator_profile.cpp, such as "convolution, forward"
  int64_t calls = 0;
  double seconds = 0;  // without the time of the operators that it called
};

// All calls of operators of the same kind.
struct KindTime {
  std::string kind;
  int64_t calls = 0;
  double seconds = 0;
};

// A part of the closure with a RECORD_USER_SCOPE label. Its time includes everything inside.
struct ScopeTime {
  std::string name;
  int64_t calls = 0;
  double seconds = 0;
};

struct OperatorProfile {
  double seconds = 0;                   // wall-clock time of the closure
  int64_t calls = 0;                    // number of operator calls
  std::vector<OperatorTime> operators;  // one entry per name and kind, longest first
  std::vector<ScopeTime> scopes;        // in the order in which they first ended
  // Longest first. The last entry is "outside operators": the time that no operator or label covers.
  std::vector<KindTime> kinds() const;
};

// Runs the closure and profiles it in all threads. Profiling adds about one microsecond per operator. Not thread-safe;
// a nested call throws.
OperatorProfile profile_operators(const std::function<void()>& closure);

// The kind of an operator that no other operator calls; "other" if it is not in the table.
std::string_view operator_kind(std::string_view name);

struct Allocations {
  int64_t count = 0;
  int64_t bytes = 0;
};

// Runs the closure and counts the requests to LibTorch's CPU allocator meanwhile, in all threads. Not thread-safe; a
// nested call throws.
Allocations count_allocations(const std::function<void()>& closure);

}  // namespace frgan
