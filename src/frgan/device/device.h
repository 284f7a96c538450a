// Device, precision, threads and memory settings of a run.
#pragma once

#include <cstdint>
#include <string>

#include <c10/core/Device.h>

#include "frgan/core/precision.h"

namespace frgan {

// Whether the CPU has bfloat16 multiply instructions (AVX512-BF16 or AMX). On other CPUs, LibTorch emulates bfloat16,
// which is many times slower than fp32.
bool has_native_bf16();

// The CPU's best instruction set for matrix multiplication: "AMX", "AVX-512 BF16", "AVX-512", "AVX2" or "no AVX2".
std::string processor_capability();
// Instruction set of the CPU kernels that LibTorch selected: "AVX512", "AVX2", "NO AVX" or "DEFAULT"; "unknown" if
// LibTorch does not report it.
std::string kernel_capability();

// Number of GPUs that LibTorch can use. LibTorch's CUDA part is a separate library, to which the program is not linked.
// The first call loads it if NVIDIA's driver is installed. Call this before any other query: LibTorch caches whether it
// has CUDA, and kernel_capability also asks.
int64_t gpu_count();

// The reason why there is no GPU, for example "no NVIDIA driver found". Call it only if gpu_count() is 0.
std::string why_no_gpu();

// The device for "auto" (the first GPU, else the CPU), "cpu", "cuda" (the first GPU) or "cuda:N". Throws a usage error
// if the name is invalid or the device is not available. For a GPU, it disables TF32, LibTorch's default for
// convolutions, so that fp32 has its full precision.
at::Device resolve_device(const std::string& device);

// Name for messages: "cpu", or "cuda:0 (NVIDIA H100 80GB HBM3)".
std::string device_name(at::Device device);

// kAuto selects bf16 on a GPU and on a CPU with has_native_bf16(), else fp32.
Precision resolve_precision(PrecisionChoice precision, at::Device device);

// Prepares this process for large tensors; call it before the first. Makes malloc keep freed memory: each training step
// frees and allocates the same hundreds of megabytes, and returning them to the system costs a tenth of the step in
// page faults. Throws an Error if a limit on virtual memory (ulimit -v) leaves no room for the buffers of OpenBLAS with
// this number of threads (0: usable_cores()): it would wait for them forever, in its first call.
void prepare_memory(int64_t threads);
// Only the check of the limit. OpenBLAS keeps its buffers, so the threads of earlier calls need no more room.
void check_address_space(int64_t threads);

}  // namespace frgan
