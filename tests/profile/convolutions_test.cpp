#include "frgan/profile/convolutions.h"

#include <map>
#include <stdexcept>
#include <string>

#include <ATen/record_function.h>
#include <gtest/gtest.h>
#include <torch/types.h>

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

// A labeled convolution; the operator that it calls is not counted separately.
void labeled_convolution(const at::Tensor& x, const at::Tensor& weight, int64_t padding) {
  RECORD_FUNCTION("test::convolution", (std::vector<c10::IValue>{x, weight, padding}));
  at::conv2d(x, weight, {}, 1, padding);
}

TEST(Convolutions, TimesOwnConvolutions) {
  int runs = 0;
  const OwnConvolution own{
      .name = "test::convolution",
      .flop = [](const std::vector<c10::IValue>& inputs) { return static_cast<double>(inputs[2].toInt()); },
      .prepare = [&](const std::vector<c10::IValue>& inputs) -> std::function<void()> {
        return [&runs, inputs] {
          ++runs;
          labeled_convolution(inputs[0].toTensor(), inputs[1].toTensor(), inputs[2].toInt());
        };
      }};
  const at::Tensor x = channels_last({2, 3, 8, 8}), w = channels_last({4, 3, 3, 3});
  const auto closure = [&] {
    labeled_convolution(x, w, 1);
    labeled_convolution(x, w, 1);
    labeled_convolution(x, w, 2);
    at::conv2d(x, w);
  };
  const auto times = time_convolutions(closure, 2, {own});
  ASSERT_EQ(times.size(), 3U) << "paddings must be separate entries";
  EXPECT_EQ(runs, 2 * 3) << "one warm-up run and two timed runs per form";
  for (const ConvolutionTime& time : times) {
    EXPECT_EQ(time.shapes, "fp32 2x3x8x8, fp32 4x3x3x3");
    if (time.name == "test::convolution") {
      EXPECT_EQ(time.flop, time.calls == 2 ? 1 : 2);
    } else {
      EXPECT_EQ(time.flop, 2.0 * 2 * 4 * 6 * 6 * 3 * 9);
    }
  }
}

TEST(Convolutions, HandlesNoConvolutionsAndExceptions) {
  EXPECT_EQ(total_seconds(time_convolutions([] { at::ones({3}); })), 0);
  EXPECT_THROW(time_convolutions([] { throw std::runtime_error("stop"); }), std::runtime_error);
  at::conv2d(at::ones({2, 3, 8, 8}), at::ones({4, 3, 3, 3}));  // the callback was removed
}

}  // namespace
}  // namespace frgan
