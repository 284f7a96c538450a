// Named random streams. Every random number of a run is a function of (seed, stream, step, position) and independent of
// earlier draws. Checkpoints therefore contain no random state, and a resumed run draws the same numbers.
#pragma once

#include <cstdint>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "frgan/device/batch.h"

namespace frgan {

// The purpose of the numbers. These values are part of the file format of a run: append, never renumber.
enum class Stream : uint64_t {
  kWeights = 1,
  kLabeledOrder = 2,
  kUnlabeledOrder = 3,  // of all images, Pool::kAll
  kNoise = 4,
  kAugmentation = 5,
  kDropout = 6,
  kLabelSplit = 7,
  kLabelNoise = 8,
  kSampling = 9,
  kScoreOrder = 10,
  kOnlyUnlabeledOrder = 11,
};

// The key of one draw: splitmix64 over the arguments. Equal arguments give equal keys on every machine.
uint64_t random_key(uint64_t seed, Stream stream, uint64_t step = 0, uint64_t part = 0);

// The 64-bit number at `position` under `key` (Philox 4x32-10, Salmon et al. 2011). Thread-safe; positions are
// independent.
uint64_t random_bits(uint64_t key, uint64_t position);
// The uniform number from 0 to range - 1 at `position` under `key`.
uint64_t random_below(uint64_t range, uint64_t key, uint64_t position);

// Random tensors of the given shape. The numbers do not depend on the number of threads. `options` gives the device and
// the dtype (float or double). On the meta device nothing is drawn; on a GPU, the key seeds LibTorch's generator.
//
// Uniform in [low, high), in steps of (high - low) / 2^24 (float) or (high - low) / 2^53 (double).
at::Tensor random_uniform(at::IntArrayRef shape, double low, double high, uint64_t key, at::TensorOptions options);
// Normal with mean 0 and standard deviation 1.
at::Tensor random_normal(at::IntArrayRef shape, uint64_t key, at::TensorOptions options);
// Noise vectors: count x size (device/batch.h).
at::Tensor random_noise(const NoiseRequest& request, uint64_t key, at::TensorOptions options);
// int64, uniform from low to high - 1; `low` must be below `high`.
at::Tensor random_integers(at::IntArrayRef shape, int64_t low, int64_t high, uint64_t key, at::Device device);
// The device's default generator, freshly seeded with the key. For LibTorch operators that draw their own numbers.
at::Generator seeded_generator(at::Device device, uint64_t key);
// A permutation of 0 to count - 1, int64 on the CPU (Fisher-Yates with random_below).
at::Tensor random_permutation(int64_t count, uint64_t key);

}  // namespace frgan
