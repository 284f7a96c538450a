// Rate at which this machine can at most train, for time estimates before a run.
#pragma once

#include <cstdint>
#include <string>

namespace frgan {

// Whether the device (auto, cpu, cuda or cuda:N) is a GPU. Throws a usage error like resolve_device.
bool is_gpu(const std::string& device);

// FLOP/s of matrix products on the CPU with this number of threads, in bf16 where the CPU has it, else in fp32.
// Measured for about a second. A training step is slower.
double cpu_matrix_rate(int64_t threads);

}  // namespace frgan
