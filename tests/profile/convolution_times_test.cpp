#include "frgan/profile/convolution_times.h"

#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "frgan/nn/winograd.h"

namespace frgan {
namespace {

at::Tensor channels_last(at::IntArrayRef sizes, at::ScalarType type = at::kFloat) {
  return at::ones(sizes, type).contiguous(at::MemoryFormat::ChannelsLast);
}

// Indexes the times by name and shapes.
std::map<std::string, ConvolutionTime> by_form(const std::vector<ConvolutionTime>& times) {
  std::map<std::string, ConvolutionTime> forms;
  for (const ConvolutionTime& time : times) forms[time.name + " " + time.shapes] = time;
  return forms;
}

TEST(Convolutions, ReportsCallsAndFlopOfEachForm) {
  const at::Tensor x = channels_last({2, 3, 8, 8}), w = channels_last({4, 3, 3, 3});
  const auto times = time_convolutions(
      [&] {
        at::conv2d(x, w, {}, /*stride=*/1, /*padding=*/1);
        at::conv2d(x, w, {}, 1, 1);
        at::conv2d(x, w, {}, 1, 1) + at::matmul(at::ones({8, 8}), at::ones({8, 8}));
        at::conv2d(x, w, {}, 2, 1);
        at::conv_transpose2d(x, at::ones({3, 4, 5, 5}), {}, 2, 2, 1);
      },
      2);
  const auto forms = by_form(times);
  ASSERT_EQ(forms.size(), 3U);
  const ConvolutionTime& plain = forms.at("aten::convolution fp32 2x3x8x8, fp32 4x3x3x3");
  EXPECT_EQ(plain.calls, 3);
  EXPECT_EQ(plain.flop, 2.0 * 2 * 4 * 8 * 8 * 3 * 9);
  EXPECT_GT(plain.seconds, 0);
  EXPECT_EQ(forms.at("aten::convolution fp32 2x3x8x8, fp32 4x3x3x3 stride 2").flop, 2.0 * 2 * 4 * 4 * 4 * 3 * 9);
  EXPECT_EQ(forms.at("aten::convolution fp32 2x3x8x8, fp32 3x4x5x5 stride 2 transposed").flop,
            2.0 * 2 * 3 * 8 * 8 * 4 * 25);
  double seconds = 0;
  for (const ConvolutionTime& time : times) seconds += static_cast<double>(time.calls) * time.seconds;
  EXPECT_DOUBLE_EQ(total_seconds(times), seconds);
  for (size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(static_cast<double>(times[i - 1].calls) * times[i - 1].seconds,
              static_cast<double>(times[i].calls) * times[i].seconds);
  }
}

TEST(Convolutions, BackwardCountsRequestedGradients) {
  const auto times = time_convolutions(
      [] {
        for (const auto& [x_grad, w_grad] : {std::pair{true, true}, {true, false}, {false, true}}) {
          const at::Tensor x = channels_last({2, 3, 8, 8}).requires_grad_(x_grad);
          const at::Tensor w = channels_last({4, 3, 3, 3}).requires_grad_(w_grad);
          at::conv2d(x, w, {}, 1, 1).sum().backward();  // the gradient of sum() has strides of 0
        }
      },
      1);
  const auto forms = by_form(times);
  ASSERT_EQ(forms.size(), 4U);
  const double once = 2.0 * 2 * 4 * 8 * 8 * 3 * 9;
  const std::string backward = "aten::convolution_backward fp32 2x4x8x8, fp32 2x3x8x8, fp32 4x3x3x3";
  EXPECT_EQ(forms.at(backward + " to both").flop, 2 * once);
  EXPECT_EQ(forms.at(backward + " to input").flop, once);
  EXPECT_EQ(forms.at(backward + " to weight").flop, once);
}

TEST(Convolutions, DistinguishesTypesAndLayouts) {
  const at::Tensor w = at::ones({4, 3, 3, 3});
  const auto times = time_convolutions(
      [&] {
        at::conv2d(at::ones({2, 3, 8, 8}), w);
        at::conv2d(channels_last({2, 3, 8, 8}), w);
        at::conv2d(channels_last({2, 3, 8, 8}, at::kBFloat16), w.to(at::kBFloat16));
      },
      1);
  EXPECT_EQ(times.size(), 3U);
  EXPECT_EQ(by_form(times).count("aten::convolution bf16 2x3x8x8, bf16 4x3x3x3"), 1U);
}

// Convolutions of frgan run under their labels. Operators that they call are not counted separately.
TEST(Convolutions, TimesWinogradConvolutions) {
  const at::Tensor x = channels_last({2, 32, 8, 8}), w = channels_last({16, 32, 3, 3});
  ASSERT_TRUE(has_winograd(x, w, /*stride=*/1, /*padding=*/1)) << "no Winograd kernels for this CPU";
  const auto times = time_convolutions(
      [&] {
        const at::Tensor input = x.detach().requires_grad_(), weight = w.detach().requires_grad_();
        winograd_convolution(x, w, 0);
        winograd_convolution(x, w, 1);
        winograd_convolution(input, weight, 1).sum().backward();
      },
      2);
  ASSERT_EQ(times.size(), 4U) << "paddings must be separate entries";
  const double padded = 2.0 * 2 * 16 * 8 * 8 * 32 * 9, unpadded = 2.0 * 2 * 16 * 6 * 6 * 32 * 9;
  std::vector<std::tuple<std::string, int64_t, double>> found;
  for (const ConvolutionTime& time : times) {
    found.emplace_back(time.name + " " + time.shapes, time.calls, time.flop);
    EXPECT_GT(time.seconds, 0) << time.name;
  }
  EXPECT_THAT(found, testing::UnorderedElementsAre(
                         std::tuple("frgan::convolution fp32 2x32x8x8, fp32 16x32x3x3", 1, unpadded),
                         std::tuple("frgan::convolution fp32 2x32x8x8, fp32 16x32x3x3", 2, padded),
                         std::tuple("frgan::convolution_input_gradient fp32 2x16x8x8, fp32 16x32x3x3", 1, padded),
                         std::tuple("frgan::convolution_weight_gradient fp32 2x16x8x8, fp32 2x32x8x8", 1, padded)));
}

TEST(Convolutions, HandlesNoConvolutionsAndExceptions) {
  EXPECT_EQ(total_seconds(time_convolutions([] { at::ones({3}); })), 0);
  EXPECT_THROW(time_convolutions([] { throw std::runtime_error("stop"); }), std::runtime_error);
  at::conv2d(at::ones({2, 3, 8, 8}), at::ones({4, 3, 3, 3}));  // the callback was removed
}

}  // namespace
}  // namespace frgan
