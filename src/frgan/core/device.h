// Where a run computes, and in what precision.
#pragma once

#include <cstdint>
#include <string>

#include <c10/core/Device.h>

namespace frgan {

// Whether the processor multiplies bfloat16 itself (AVX512-BF16 or AMX); elsewhere LibTorch emulates it, many times
// slower than fp32.
bool has_native_bf16();

// The most that the processor has of what multiplies fast: "AMX", "AVX-512 BF16", "AVX-512", "AVX2" or "none of these".
std::string processor_capability();
// The kernels that LibTorch chose for this processor: "AVX512", "AVX2", "NO AVX" or "DEFAULT"; "unknown" where it does
// not say.
std::string kernel_capability();

// GPUs that LibTorch can compute on. A LibTorch with CUDA keeps that part in a library of its own, which a program for
// CPUs does not link; it is loaded at the first call, where the machine has NVIDIA's driver. LibTorch remembers whether
// it had CUDA when it was first asked, by kernel_capability too: so this goes first.
int64_t gpu_count();

// Why there is none ("the machine has no NVIDIA driver"); call it where gpu_count is 0.
std::string why_no_gpu();

// "auto" is the first GPU, or the CPU where there is none; "cpu", "cuda" and "cuda:N" as they say. Throws a usage error
// for a device that is not there. On a GPU fp32 is fp32: TF32, LibTorch's default in convolutions, is switched off.
at::Device resolve_device(const std::string& device);

// "cpu", or "cuda:0 (NVIDIA H100 80GB HBM3)".
std::string device_name(at::Device device);

// "fp32" or "bf16"; "auto" is bf16 on a GPU, and on a CPU only where the processor has it.
std::string resolve_precision(const std::string& precision, at::Device device);

// LibTorch's threads; 0: the cores this process may use. Returns how many there are now.
int64_t set_threads(int64_t threads);

// From now on freed memory stays with the program. A training step frees and takes the same hundreds of megabytes
// again; through the system each time costs a tenth of the step in page faults.
void keep_freed_memory();

}  // namespace frgan
