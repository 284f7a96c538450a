// How often, and how much, a closure asks for memory for tensors.
#pragma once

#include <cstdint>
#include <functional>

namespace frgan {

struct Allocations {
  int64_t count = 0;
  int64_t bytes = 0;
};

// Runs the closure and counts what LibTorch's allocator for the CPU is asked for meanwhile, in all threads. Not for two
// threads at a time.
Allocations count_allocations(const std::function<void()>& closure);

}  // namespace frgan
