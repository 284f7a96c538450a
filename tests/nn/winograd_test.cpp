// Compares Winograd's convolution with LibTorch's in double, including odd image sizes, all paddings, and channel
// counts that do not fill a panel. On a CPU without kernels for a type, has_winograd() must return false.
#include "frgan/nn/winograd.h"

#include <cstdlib>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "frgan/nn/phase_convolution.h"
#include "frgan/nn/winograd_kernels.h"

namespace frgan {
namespace {

struct Case {
  int64_t count, in, out, height, width, padding;
};
const std::vector<Case> kCases{{1, 16, 16, 1, 1, 1}, {2, 32, 16, 7, 5, 1},  {3, 16, 80, 6, 8, 0},
                               {2, 48, 64, 4, 4, 2}, {1, 128, 96, 9, 3, 1}, {30, 64, 144, 8, 8, 1},
                               {5, 160, 32, 3, 3, 0}};

// Returns the output, the input gradient and the weight gradient.
std::vector<at::Tensor> run(const Case& c, at::ScalarType type, bool winograd) {
  at::manual_seed(c.in + c.height);
  // The inputs are exact in bfloat16, so only the arithmetic differs.
  const auto images = [&](int64_t channels, int64_t height, int64_t width) {
    return at::randn({c.count, channels, height, width})
        .to(at::kBFloat16)
        .to(type)
        .contiguous(at::MemoryFormat::ChannelsLast);
  };
  at::Tensor x = images(c.in, c.height, c.width).requires_grad_();
  at::Tensor w = at::randn({c.out, c.in, 3, 3}).to(winograd ? at::kFloat : type).requires_grad_();
  const at::Tensor y = winograd ? winograd_convolution(x, w, c.padding) : at::conv2d(x, w, {}, 1, c.padding);
  y.backward(images(c.out, y.size(2), y.size(3)));
  return {y.detach(), x.grad(), w.grad()};
}

double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  return ((found.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

// Whether this processor must have kernels, unless ATEN_CPU_CAPABILITY limits the instructions.
bool must_have_kernels(at::ScalarType type) {
  const bool limited = std::getenv("ATEN_CPU_CAPABILITY") != nullptr;
  if (type == at::kFloat) return !limited && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return !limited && __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_supports("amx-bf16");
}

class Winograd : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  void SetUp() override {
    available_ = GetParam() == at::kFloat ? winograd_kernels_fp32() != nullptr : winograd_kernels_bf16() != nullptr;
    ASSERT_TRUE(available_ || !must_have_kernels(GetParam()));
  }
  bool available_ = false;
};

constexpr const char* kNoKernels = "this processor has no Winograd kernels for this type; only their absence is tested";

TEST_P(Winograd, OutputAndGradientsMatchConv2d) {
  if (!available_) GTEST_SKIP() << kNoKernels;
  const double tolerance = GetParam() == at::kFloat ? 1e-6 : 8e-3;  // direct bfloat16: 3e-3
  for (const Case& c : kCases) {
    SCOPED_TRACE(::testing::Message() << c.count << 'x' << c.in << 'x' << c.height << 'x' << c.width << " to " << c.out
                                      << ", padding " << c.padding);
    const auto found = run(c, GetParam(), true), expected = run(c, at::kDouble, false);
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_LT(relative_error(found[i], expected[i]), tolerance) << i;
      EXPECT_EQ(found[i].scalar_type(), i == 2 ? at::kFloat : GetParam());
    }
    EXPECT_TRUE(found[0].is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

// Bias and leaky ReLU are fused into the output transform.
TEST_P(Winograd, FusedActivationMatchesLibTorchOperators) {
  if (!available_) GTEST_SKIP() << kNoKernels;
  const auto grads = [&](at::ScalarType type, bool winograd) {
    at::manual_seed(5);
    const auto like = [&](at::IntArrayRef shape) { return at::randn(shape).to(at::kBFloat16); };
    at::Tensor x = like({2, 32, 6, 5}).to(type).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    at::Tensor w = like({80, 32, 3, 3}).to(winograd ? at::kFloat : type).requires_grad_();
    at::Tensor bias = (8 * like({80})).to(winograd ? at::kFloat : type).requires_grad_();
    const at::Tensor dy = like({2, 80, 6, 5}).to(type);
    const at::Tensor y =
        winograd ? winograd_convolution(x, w, 1, bias, 0.2) : at::leaky_relu(at::conv2d(x, w, bias, 1, 1), 0.2);
    y.backward(dy);
    return std::vector<at::Tensor>{y.detach(), x.grad(), w.grad(), bias.grad()};
  };
  const auto found = grads(GetParam(), true), expected = grads(at::kDouble, false);
  for (size_t i = 0; i < found.size(); ++i) {
    // In bfloat16, rounding may change the sign of a pre-activation near 0, and with it the slope.
    const double tolerance = GetParam() == at::kFloat ? 1e-6 : i == 0 ? 8e-3 : 5e-2;
    EXPECT_LT(relative_error(found[i], expected[i]), tolerance) << i;
  }
}

TEST_P(Winograd, RejectsUnsupportedConvolutions) {
  const at::Tensor x = at::zeros({1, 16, 4, 4}, GetParam()), w = at::zeros({16, 16, 3, 3});
  EXPECT_THROW(winograd_convolution(x, w, 3), c10::Error);
  EXPECT_THROW(winograd_convolution(x, at::zeros({16, 32, 3, 3}), 1), c10::Error);
  EXPECT_THROW(winograd_convolution(x, w, 1, at::zeros({15}), 0.2), c10::Error);
  EXPECT_THROW(winograd_convolution(x, w, 1, at::zeros({16}), 1.5), c10::Error);
  EXPECT_THROW(winograd_convolution(x, w, 1, {}, 0.2), c10::Error) << "leaky ReLU without a bias";
  if (!available_) GTEST_SKIP() << kNoKernels;
  const at::Tensor y = winograd_convolution(x.detach().requires_grad_(), w.detach().requires_grad_(), 1);
  EXPECT_THROW(y.sum().backward({}, c10::nullopt, /*create_graph=*/true), c10::Error) << "second derivative";
}

// No sum depends on the number of threads.
TEST_P(Winograd, IsBitIdenticalForAnyNumberOfThreads) {
  if (!available_) GTEST_SKIP() << kNoKernels;
  const int threads = at::get_num_threads();
  for (const Case& c : kCases) {
    at::set_num_threads(1);
    const auto one = run(c, GetParam(), true);
    at::set_num_threads(3);
    const auto three = run(c, GetParam(), true);
    at::set_num_threads(threads);
    for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(one[i].equal(three[i])) << i;
  }
}

// A gradient is computed only if the tensor requires it.
TEST_P(Winograd, ComputesOnlyRequestedGradients) {
  if (!available_) GTEST_SKIP() << kNoKernels;
  for (const bool input : {true, false}) {
    const at::Tensor x =
        at::ones({1, 16, 4, 4}, GetParam()).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(input);
    const at::Tensor w = at::ones({16, 16, 3, 3}).requires_grad_(!input);
    winograd_convolution(x, w, 1).sum().backward();
    EXPECT_EQ(x.grad().defined(), input);
    EXPECT_EQ(w.grad().defined(), !input);
  }
}

TEST_P(Winograd, HasWinogradOnlyForSupportedConvolutions) {
  const at::Tensor x = at::zeros({1, 16, 4, 4}, GetParam()), w = at::zeros({16, 16, 3, 3});
  EXPECT_EQ(has_winograd(x, w, 1, 1), available_);
  EXPECT_FALSE(has_winograd(x, w, 2, 1));
  EXPECT_FALSE(has_winograd(x, w, 1, 3));
  EXPECT_FALSE(has_winograd(x, at::zeros({16, 16, 1, 1}), 1, 0));
  EXPECT_FALSE(has_winograd(at::zeros({1, 3, 4, 4}, GetParam()), at::zeros({16, 3, 3, 3}), 1, 1));
  EXPECT_FALSE(has_winograd(x, at::zeros({10, 16, 3, 3}), 1, 1));
  EXPECT_FALSE(has_winograd(at::zeros({1, 16, 2, 2}, GetParam()), w, 1, 0));
  EXPECT_FALSE(has_winograd(x.to(at::kDouble), w.to(at::kDouble), 1, 1));
  EXPECT_FALSE(has_winograd(at::zeros({0, 16, 4, 4}, GetParam()), w, 1, 1));
  EXPECT_FALSE(has_winograd(x.to(at::kMeta), w.to(at::kMeta), 1, 1));
}

INSTANTIATE_TEST_SUITE_P(Type, Winograd, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& type) { return std::string(c10::toString(type.param)); });

// The generator's transposed convolution uses the same kernels.
TEST(WinogradInPhases, EqualsConvTranspose2d) {
  at::manual_seed(1);
  const at::Tensor x = at::randn({3, 32, 5, 4}).contiguous(at::MemoryFormat::ChannelsLast),
                   w = at::randn({32, 16, 5, 5});
  const auto grads = [&](const auto& function, at::ScalarType type) {
    at::Tensor input = x.to(type).detach().requires_grad_(), weight = w.to(type).detach().requires_grad_();
    const at::Tensor y = function(input, weight);
    y.backward(at::ones_like(y).cumsum(3));
    return std::vector<at::Tensor>{y.detach(), input.grad(), weight.grad()};
  };
  const auto found =
      grads([](const at::Tensor& input, const at::Tensor& weight) { return phase_convolution(input, weight, {}); },
            at::kFloat);
  const auto expected = grads(
      [](const at::Tensor& input, const at::Tensor& weight) {
        return at::conv_transpose2d(input, weight, {}, /*stride=*/2, /*padding=*/2, /*output_padding=*/1);
      },
      at::kDouble);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_LT(relative_error(found[i], expected[i]), 1e-6) << i;
}

}  // namespace
}  // namespace frgan
