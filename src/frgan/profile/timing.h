// Wall-clock time of a closure, and the matrix-multiply throughput of this machine.
#pragma once

#include <cstdint>
#include <functional>

#include "frgan/core/precision.h"

namespace frgan {

// Median seconds of `repetitions` runs of the closure, after one untimed warm-up run.
double median_seconds(int repetitions, const std::function<void()>& closure);

// FLOP/s of at::matmul on n x n matrices, the reference for the throughput of a training step. It is the best of the
// medians at n = largest / 4, largest / 2 and largest. With largest = 4096, the measurement takes about ten products of
// 137 GFLOP.
double gemm_rate(Precision precision, int64_t largest = 4096);

}  // namespace frgan
