// Matrix-multiply throughput of this machine, the reference for the throughput of a training step.
#pragma once

#include <cstdint>

#include <c10/core/ScalarType.h>

namespace frgan {

// FLOP/s of at::matmul on n x n matrices of `type`. It is the best of the medians at n = largest / 4, largest / 2 and
// largest. With largest = 4096, the measurement takes about ten products of 137 GFLOP.
double gemm_rate(at::ScalarType type, int64_t largest = 4096);

}  // namespace frgan
