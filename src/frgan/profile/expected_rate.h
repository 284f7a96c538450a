// Rate at which this machine can at most train, for time estimates before a run.
#pragma once

#include <cstdint>

namespace frgan {

// FLOP/s of matrix products on the CPU with this number of threads, in bf16 where the CPU has it, else in fp32.
// Measured for about a second. A training step is slower.
double cpu_matrix_rate(int64_t threads);

}  // namespace frgan
