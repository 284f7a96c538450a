#include "frgan/profile/allocations.h"

#include <atomic>
#include <cstring>
#include <type_traits>

#include <c10/core/CPUAllocator.h>

namespace frgan {
namespace {

// Replaces LibTorch's CPU allocator from `begin` to `end`, and forwards each request to it. Shared by the allocator
// classes of LibTorch 1.13 and 2.
class AllocationCounter {
 public:
  void begin(at::Allocator* self) {
    at::Allocator* const current = c10::GetCPUAllocator();
    TORCH_CHECK(current != self, "count_allocations cannot be nested");
    inner_ = current;
    count_ = bytes_ = 0;
    c10::SetCPUAllocator(self);
  }
  void end() { c10::SetCPUAllocator(inner_); }
  at::DataPtr allocate(size_t bytes) const {
    ++count_;
    bytes_ += static_cast<int64_t>(bytes);
    return inner_->allocate(bytes);
  }
  at::DeleterFnPtr raw_deleter() const { return inner_->raw_deleter(); }
  Allocations counts() const { return {count_, bytes_}; }

 private:
  at::Allocator* inner_ = nullptr;
  mutable std::atomic<int64_t> count_ = 0, bytes_ = 0;
};

// LibTorch 1.13 declares allocate() const.
template <class Allocator>
constexpr bool kAllocatesConst =
    std::is_same_v<decltype(&Allocator::allocate), at::DataPtr (Allocator::*)(size_t) const>;

template <class Allocator, bool = kAllocatesConst<Allocator>>
struct CountingAllocator final : Allocator {
  at::DataPtr allocate(size_t bytes) override { return counter.allocate(bytes); }
  at::DeleterFnPtr raw_deleter() const override { return counter.raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
  AllocationCounter counter;
};

template <class Allocator>
struct CountingAllocator<Allocator, true> final : Allocator {
  at::DataPtr allocate(size_t bytes) const override { return counter.allocate(bytes); }
  at::DeleterFnPtr raw_deleter() const override { return counter.raw_deleter(); }
  AllocationCounter counter;
};

}  // namespace

Allocations count_allocations(const std::function<void()>& closure) {
  // Static, because a storage created meanwhile can outlive this call and use its allocator again to grow.
  static CountingAllocator<at::Allocator> counting;
  struct Replacement {
    Replacement() { counting.counter.begin(&counting); }
    ~Replacement() { counting.counter.end(); }
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
  };
  const Replacement replacement;
  closure();
  return counting.counter.counts();
}

}  // namespace frgan
