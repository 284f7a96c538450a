// How fast this machine multiplies matrices: what a training step is measured against.
#pragma once

#include <cstdint>

#include <c10/core/ScalarType.h>

namespace frgan {

// FLOP/s of at::matmul of n x n matrices of this type: the best of the medians at n = largest / 4, largest / 2 and
// largest. At 4096 it takes some ten products of 137 GFLOP.
double gemm_rate(at::ScalarType type, int64_t largest = 4096);

}  // namespace frgan
