// Times the convolutions of a closure separately: the time of a training step that only computes its convolutions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace frgan {

// Calls of a convolution with equal arguments, and tensors of equal shapes, strides and types.
struct ConvolutionTime {
  std::string name;    // "aten::convolution", "aten::convolution_backward", or a label of nn/winograd.cpp
  std::string shapes;  // types and shapes of the tensors: "bf16 100x64x32x32, bf16 64x64x3x3 stride 2"
  int64_t calls = 0;
  double flop = 0;     // FLOP of one call
  double seconds = 0;  // median time of one call that runs alone
};

// Runs the closure once and records its convolutions. Then runs each distinct convolution alone on random numbers,
// `repetitions` times. The result is sorted by total time (calls x seconds), longest first. A convolution that another
// one calls is not counted separately. Not thread-safe.
std::vector<ConvolutionTime> time_convolutions(const std::function<void()>& closure, int repetitions = 5);

// Sum of calls x seconds.
double total_seconds(const std::vector<ConvolutionTime>& convolutions);

}  // namespace frgan
