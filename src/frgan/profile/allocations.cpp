#include "frgan/profile/allocations.h"

#include <atomic>
#include <cstring>
#include <type_traits>

#include <c10/core/CPUAllocator.h>

namespace frgan {
namespace {

// What both releases have: counts from 0 until `end`, in the place of the allocator in force, to which it passes on.
class Count {
 public:
  void begin(at::Allocator* self) {
    at::Allocator* const in_force = c10::GetCPUAllocator();
    TORCH_CHECK(in_force != self, "a count within a count");
    inner_ = in_force;
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
  at::DataPtr allocate(size_t bytes) override { return count.allocate(bytes); }
  at::DeleterFnPtr raw_deleter() const override { return count.raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
  Count count;
};

template <class Allocator>
struct CountingAllocator<Allocator, true> final : Allocator {
  at::DataPtr allocate(size_t bytes) const override { return count.allocate(bytes); }
  at::DeleterFnPtr raw_deleter() const override { return count.raw_deleter(); }
  Count count;
};

}  // namespace

Allocations count_allocations(const std::function<void()>& closure) {
  // Static: a storage made meanwhile may outlive the count, and grow by the allocator that it knows.
  static CountingAllocator<at::Allocator> counting;
  struct InForce {
    InForce() { counting.count.begin(&counting); }
    ~InForce() { counting.count.end(); }
    InForce(const InForce&) = delete;
    InForce& operator=(const InForce&) = delete;
  };
  const InForce in_force;
  closure();
  return counting.count.counts();
}

}  // namespace frgan
