// Named random streams. Every random number of a run is a function of (seed, stream, step, position), never of what was
// drawn before: so a checkpoint holds no random state, and a resumed run continues with the same bits.
#pragma once

#include <cstdint>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace frgan {

// What the numbers are for. The values are part of the file format of a run: append, never renumber.
enum class Stream : uint64_t {
  kWeights = 1,
  kLabeledOrder = 2,
  kUnlabeledOrder = 3,
  kNoise = 4,
  kAugmentation = 5,
  kDropout = 6,
  kLabelSplit = 7,
  kLabelNoise = 8,
  kSampling = 9,
  kScoreOrder = 10,
};

// The key of one draw: splitmix64 over the words. Equal words give equal keys on every machine.
uint64_t random_key(uint64_t seed, Stream stream, uint64_t step = 0, uint64_t part = 0);

// The 64-bit number at `position` under `key` (Philox 4x32-10, Salmon et al. 2011): any thread can compute any
// position.
uint64_t random_bits(uint64_t key, uint64_t position);
// The number from 0 to range - 1 at `position` under `key`.
uint64_t random_below(uint64_t range, uint64_t key, uint64_t position);

// Tensors of the given shape; the same numbers for any number of threads. `options` gives device and dtype (float or
// double); on the meta device nothing is drawn, on a GPU LibTorch's generator is seeded with the key.
// [low, high), in steps of (high - low) / 2^24 (float) or 2^53 (double).
at::Tensor random_uniform(at::IntArrayRef shape, double low, double high, uint64_t key, at::TensorOptions options);
// Mean 0, standard deviation 1.
at::Tensor random_normal(at::IntArrayRef shape, uint64_t key, at::TensorOptions options);
// int64 numbers from low to high - 1.
at::Tensor random_integers(at::IntArrayRef shape, int64_t low, int64_t high, uint64_t key, at::Device device);
// The device's own generator, as if no number had been drawn since it was seeded with the key; for operators that draw
// within them.
at::Generator seeded_generator(at::Device device, uint64_t key);
// A permutation of 0..count-1 on the CPU, int64 (Fisher-Yates over random_below).
at::Tensor random_permutation(int64_t count, uint64_t key);

}  // namespace frgan
