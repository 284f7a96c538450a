// The convolutions of a closure, each run again alone: what a training step would take if it did nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/ivalue.h>

namespace frgan {

// Calls of a convolution on tensors of the same shapes, strides and types.
struct ConvolutionTime {
  std::string name;    // "aten::convolution", "aten::convolution_backward" or one of ours
  std::string shapes;  // of its tensors: "bf16 100x64x32x32, bf16 64x64x3x3 stride 2"
  int64_t calls = 0;
  double flop = 0;     // of one call, in the form that runs
  double seconds = 0;  // of one call alone: the median
};

// A convolution of ours that is no operator of LibTorch, under a RECORD_FUNCTION label with the inputs that decide its
// form: RECORD_FUNCTION("frgan::convolution", std::vector<c10::IValue>({x, weight, padding})).
struct OwnConvolution {
  using Inputs = std::vector<c10::IValue>;
  std::string name;                                             // the label
  std::function<double(const Inputs&)> flop;                    // of a call
  std::function<std::function<void()>(const Inputs&)> prepare;  // gives what is timed
};

// Runs the closure once, and then each form of convolution in it alone, `repetitions` times, on random numbers. The
// form that takes longest in all its calls comes first. What a convolution calls in its turn is not counted again.
// Not for two threads at a time.
std::vector<ConvolutionTime> time_convolutions(const std::function<void()>& closure, int repetitions = 5,
                                               const std::vector<OwnConvolution>& own = {});

// Of all calls.
double total_seconds(const std::vector<ConvolutionTime>& convolutions);

}  // namespace frgan
