#include "frgan/device/packed_inputs.h"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace frgan {
namespace {

TEST(PackedInputs, KeepValuesTypesAndAddresses) {
  PackedInputs inputs(at::kCPU, /*always=*/true);
  std::vector<void*> first;
  for (const int64_t add : {0, 5}) {
    const at::Tensor whole = at::arange(3, at::kLong) + add, real = at::rand({2, 5}), wide = at::rand({7}, at::kDouble);
    at::Tensor a = whole.clone(), b = real.clone(), none, c = wide.clone(), d = at::tensor({1, 2}, at::kInt);
    inputs.load({&a, &b, &none, &c, &d});
    EXPECT_FALSE(none.defined());
    EXPECT_TRUE(a.equal(whole));
    EXPECT_TRUE(b.equal(real));
    EXPECT_TRUE(c.equal(wide));
    EXPECT_TRUE(d.equal(at::tensor({1, 2}, at::kInt)));
    const std::vector<void*> addresses{a.data_ptr(), b.data_ptr(), c.data_ptr(), d.data_ptr()};
    if (first.empty()) first = addresses;
    EXPECT_EQ(addresses, first);
  }
  inputs.load({});
  at::Tensor larger = at::ones({1000});
  inputs.load({&larger});
  EXPECT_EQ(larger.sum().item<float>(), 1000);
}

TEST(PackedInputs, WorkOnTheMetaDevice) {
  at::Tensor numbers = at::ones({3, 4}), rows = at::arange(5, at::kLong);
  PackedInputs(at::kMeta).load({&numbers, &rows});
  EXPECT_TRUE(numbers.is_meta());
  EXPECT_EQ(numbers.sizes(), (at::IntArrayRef{3, 4}));
  EXPECT_EQ(rows.scalar_type(), at::kLong);
}

TEST(PackedInputs, RejectTensorsWithOtherStrides) {
  at::Tensor transposed = at::ones({3, 4}).t();
  EXPECT_THROW(PackedInputs(at::kCPU, /*always=*/true).load({&transposed}), c10::Error);
}

}  // namespace
}  // namespace frgan
