// Counts a closure's tensor memory allocations.
#pragma once

#include <cstdint>
#include <functional>

namespace frgan {

struct Allocations {
  int64_t count = 0;
  int64_t bytes = 0;
};

// Runs the closure and counts the requests to LibTorch's CPU allocator meanwhile, in all threads. Not thread-safe; a
// nested call throws.
Allocations count_allocations(const std::function<void()>& closure);

}  // namespace frgan
