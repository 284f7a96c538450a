#include "frgan/profile/allocations.h"

#include <atomic>
#include <cstring>

#include <c10/core/CPUAllocator.h>

namespace frgan {
namespace {

// Passes everything on. LibTorch 1.13 declares allocate() const, later ones not, and they want copy_data() besides:
// what the release at hand does not know stands here in vain.
class CountingAllocator final : public at::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) const { return counted(bytes); }
  at::DataPtr allocate(size_t bytes) { return counted(bytes); }
  at::DeleterFnPtr raw_deleter() const override { return inner_->raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const { std::memcpy(to, from, bytes); }

  // Counts from 0 until `end`, in the place of the allocator in force.
  void begin() {
    at::Allocator* const in_force = c10::GetCPUAllocator();
    TORCH_CHECK(in_force != this, "a count within a count");
    inner_ = in_force;
    count_ = bytes_ = 0;
    c10::SetCPUAllocator(this);
  }
  void end() { c10::SetCPUAllocator(inner_); }
  Allocations counts() const { return {count_, bytes_}; }

 private:
  at::DataPtr counted(size_t bytes) const {
    ++count_;
    bytes_ += static_cast<int64_t>(bytes);
    return inner_->allocate(bytes);
  }

  at::Allocator* inner_ = nullptr;
  mutable std::atomic<int64_t> count_ = 0, bytes_ = 0;
};

}  // namespace

Allocations count_allocations(const std::function<void()>& closure) {
  // Never deleted: a storage made meanwhile may outlive the count, and grow by the allocator that it knows.
  static auto* const counting = new CountingAllocator;
  struct Count {
    Count() { counting->begin(); }
    ~Count() { counting->end(); }
  } count;
  closure();
  return counting->counts();
}

}  // namespace frgan
