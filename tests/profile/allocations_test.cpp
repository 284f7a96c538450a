#include "frgan/profile/allocations.h"

#include <stdexcept>

#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace frgan {
namespace {

TEST(Allocations, CountsTensorsAndTheirBytes) {
  const Allocations none = count_allocations([] {});
  EXPECT_EQ(none.count, 0);
  EXPECT_EQ(none.bytes, 0);
  const Allocations some = count_allocations([] {
    const at::Tensor a = at::empty({1000}, at::kFloat);
    const at::Tensor view = a.view({10, 100});
    const at::Tensor b = at::empty({7}, at::kByte);
  });
  EXPECT_EQ(some.count, 2);
  EXPECT_EQ(some.bytes, 4007);
}

TEST(Allocations, RestoresTheAllocator) {
  const auto* const before = c10::GetCPUAllocator();
  at::Tensor kept;
  count_allocations([&] { kept = at::ones({5}); });
  EXPECT_EQ(c10::GetCPUAllocator(), before);
  EXPECT_EQ(kept.sum().item<float>(), 5);
  kept.resize_({1000});  // with the counting allocator, after the count has ended
  EXPECT_THROW(count_allocations([] { throw std::runtime_error("stop"); }), std::runtime_error);
  EXPECT_EQ(c10::GetCPUAllocator(), before);
  EXPECT_ANY_THROW(count_allocations([] { count_allocations([] {}); }));
  EXPECT_EQ(c10::GetCPUAllocator(), before);
}

}  // namespace
}  // namespace frgan
