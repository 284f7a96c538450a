#include "frgan/profile/operator_profile.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include <ATen/record_function.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace frgan {
namespace {

using NoInputs = c10::ArrayRef<const c10::IValue>;

void wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// The sum over all kinds of an operator.
OperatorTime operator_time(const OperatorProfile& profile, const std::string& name) {
  OperatorTime sum{.name = name, .kind = {}};
  for (const OperatorTime& time : profile.operators) {
    if (time.name != name) continue;
    sum.kind += time.kind;  // concatenated if there are several
    sum.calls += time.calls;
    sum.seconds += time.seconds;
  }
  return sum;
}

KindTime kind_time(const OperatorProfile& profile, const std::string& kind) {
  for (const KindTime& time : profile.kinds()) {
    if (time.kind == kind) return time;
  }
  return {.kind = kind};
}

TEST(OperatorProfile, ExcludesTheTimeOfCalledOperators) {
  const OperatorProfile profile = profile_operators([] {
    RECORD_FUNCTION("test::outer", NoInputs{});
    wait(0.02);
    for (int i = 0; i < 2; ++i) {
      RECORD_FUNCTION("test::inner", NoInputs{});
      wait(0.1);
    }
  });
  const OperatorTime outer = operator_time(profile, "test::outer"), inner = operator_time(profile, "test::inner");
  EXPECT_EQ(outer.calls, 1);
  EXPECT_EQ(inner.calls, 2);
  EXPECT_EQ(profile.calls, 3);
  EXPECT_GE(outer.seconds, 0.02);
  EXPECT_GE(inner.seconds, 0.2);
  EXPECT_LE(outer.seconds, profile.seconds - 0.2);
  EXPECT_EQ(profile.operators.front().name, "test::inner") << "must be sorted, longest first";
}

TEST(OperatorProfile, ReportsTimeOutsideOperators) {
  const OperatorProfile profile = profile_operators([] {
    wait(0.05);
    at::ones({3}).neg_();
  });
  EXPECT_EQ(operator_time(profile, "aten::neg_").calls, 1);
  EXPECT_EQ(profile.kinds().back().kind, "outside operators");
  EXPECT_GE(profile.kinds().back().seconds, 0.05);
  double covered = 0;
  for (const KindTime& kind : profile.kinds()) covered += kind.seconds;
  EXPECT_NEAR(covered, profile.seconds, 1e-9);
}

TEST(OperatorProfile, ScopesIncludeEverythingInside) {
  const OperatorProfile profile = profile_operators([] {
    for (int i = 0; i < 2; ++i) {
      RECORD_USER_SCOPE(std::string("first"));
      at::ones({3}).neg_();
      wait(0.01);
    }
    RECORD_USER_SCOPE("second");
  });
  ASSERT_EQ(profile.scopes.size(), 2U);
  EXPECT_EQ(profile.scopes[0].name, "first");
  EXPECT_EQ(profile.scopes[0].calls, 2);
  EXPECT_GE(profile.scopes[0].seconds, 0.02);
  EXPECT_EQ(profile.scopes[1].name, "second");
  EXPECT_EQ(operator_time(profile, "aten::neg_").calls, 2);
  EXPECT_EQ(operator_time(profile, "first").calls, 0) << "a scope is not an operator";
}

// An operator called by a root has the root's kind. A leaf without a known caller has its own kind.
TEST(OperatorProfile, CalledOperatorsInheritTheKind) {
  const at::Tensor x = at::ones({2, 3, 8, 8}), w = at::ones({4, 3, 3, 3}).requires_grad_();
  const int64_t calls_under_label = 1 + profile_operators([&] { w.detach().neg(); }).calls;
  const OperatorProfile profile = profile_operators([&] {
    {
      RECORD_FUNCTION("frgan::weight_norm", NoInputs{});
      w.detach().neg();
    }
    at::conv2d(x, w).sum().backward();
    at::ones({3}).abs();
    at::ones({3}).to(at::kDouble);
  });
  EXPECT_EQ(operator_time(profile, "aten::neg").kind, "weight norm, forward");
  EXPECT_EQ(operator_time(profile, "aten::abs").kind, "other");
  EXPECT_EQ(operator_time(profile, "aten::to").kind, "casts and copies");
  EXPECT_EQ(operator_time(profile, "aten::_to_copy").kind, "casts and copies");
  EXPECT_EQ(operator_time(profile, "ConvolutionBackward0").kind, "convolution, backward");
  EXPECT_EQ(operator_time(profile, "aten::convolution_backward").kind, "convolution, backward");
  EXPECT_EQ(operator_time(profile, "aten::conv2d").kind, "convolution, forward");
  EXPECT_EQ(kind_time(profile, "weight norm, forward").calls, calls_under_label);
}

TEST(OperatorProfile, FindsKindsByName) {
  const std::map<std::string, std::string> kinds{
      {"aten::conv2d", "convolution, forward"},
      {"ConvolutionBackward0", "convolution, backward"},
      {"autograd::engine::evaluate_function: ConvolutionBackward0", "convolution, backward"},
      {"aten::linear", "dense layers"},
      {"torch::autograd::CppNode<frgan::(anonymous namespace)::BiasLeakyReluDropout>", "activation and dropout"},
      {"frgan::activation_backward", "activation and dropout"},
      {"NativeBatchNormBackward0", "batch norm"},
      {"frgan::adam", "optimizer and average"},
      {"frgan::random", "random numbers"},
      {"aten::copy_", "casts and copies"},
      {"frgan::gather", "gather and augmentation"},
      {"frgan::weight_norm", "weight norm, forward"},
      {"LogsumexpBackward0", "losses"},
      {"aten::conv2", "other"},
      {"aten::conv2dd", "other"},
      {"", "other"}};
  for (const auto& [name, kind] : kinds) EXPECT_EQ(operator_kind(name), kind) << name;
}

TEST(OperatorProfile, IncludesOtherThreads) {
  const OperatorProfile profile = profile_operators([] {
    RECORD_FUNCTION("test::waiting", NoInputs{});
    std::thread([] { at::ones({3}).neg(); }).join();
  });
  EXPECT_EQ(operator_time(profile, "aten::neg").calls, 1);
}

TEST(OperatorProfile, StopsAfterTheClosureAndOnExceptions) {
  EXPECT_THROW(profile_operators([] { throw std::runtime_error("stop"); }), std::runtime_error);
  EXPECT_ANY_THROW(profile_operators([] { profile_operators([] {}); }));
  at::ones({3}).abs();
  EXPECT_EQ(profile_operators([] {}).calls, 0);
}

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
