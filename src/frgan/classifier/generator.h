// The generator of a checkpoint, for images as tensors. For plain pixels, see generation.h. Implemented in
// generation.cpp.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"

namespace frgan {

// Images per block. Each block has its own noise and is generated as a whole. Image i therefore depends on the seed and
// i only, not on the number of images, even with batch statistics.
constexpr int64_t kGeneratedBlock = 100;

// Same as load_method, but throws an Error if the method has no generator.
LoadedMethod load_generator(const Checkpoint& checkpoint, at::Device device, Precision precision);

// Images 100 block to 100 block + 99 for this seed: 100 x C x S x S, in [-1, 1], on the generator's device. A
// class-conditional generator draws class `label`, or if it is negative, the classes in turn.
at::Tensor generated_block(const LoadedMethod& loaded, int64_t seed, int64_t block, int64_t label = -1);

// The first `count` images for this seed, as `frgan generate` writes them: uint8 count x S x S x C on the CPU.
//
//   const Checkpoint checkpoint = load_checkpoint("runs/fr-gan", CheckpointUse::kGenerate);
//   const LoadedMethod loaded = load_generator(checkpoint, at::kCPU, Precision::kFull);
//   const at::Tensor images = generated_images(loaded, /*seed=*/1, 50'000);
at::Tensor generated_images(const LoadedMethod& loaded, int64_t seed, int64_t count);

}  // namespace frgan
