#include "frgan/classifier/generation.h"

#include <algorithm>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/generator.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/data/augment.h"
#include "frgan/device/random.h"

namespace frgan {
namespace {

// Calls visit(pixels, first) for the blocks of the first `count` images: uint8, N x S x S x C on the CPU.
template <class Visit>
void for_each_block(const LoadedMethod& loaded, int64_t seed, int64_t count, const Visit& visit) {
  for (int64_t first = 0; first < count; first += kGeneratedBlock) {
    const int64_t length = std::min(kGeneratedBlock, count - first);
    visit(to_pixels(generated_block(loaded, seed, first / kGeneratedBlock).narrow(0, 0, length)), first);
  }
}

}  // namespace

LoadedMethod load_generator(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  LoadedMethod loaded = load_method(checkpoint, device, precision);
  if (loaded.method->noise_size() == 0) {
    throw Error(fmt::format("{}: trained with method '{}', which has no generator; use a run of method 'fr-gan'",
                            checkpoint.path.string(), checkpoint.state.method));
  }
  return loaded;
}

at::Tensor generated_block(const LoadedMethod& loaded, int64_t seed, int64_t block) {
  const at::NoGradGuard no_grad;
  const uint64_t key = random_key(static_cast<uint64_t>(seed), Stream::kSampling, 0, static_cast<uint64_t>(block));
  return loaded.method->generate(loaded.method->sampling_noise(kGeneratedBlock, key, loaded.problem));
}

at::Tensor generated_images(const LoadedMethod& loaded, int64_t seed, int64_t count) {
  const ImageShape& shape = loaded.problem.shape;
  at::Tensor images = at::empty({count, shape.image_size, shape.image_size, shape.channels}, at::kByte);
  for_each_block(loaded, seed, count, [&](const at::Tensor& pixels, int64_t first) {
    images.narrow(0, first, pixels.size(0)).copy_(pixels);
  });
  return images;
}

void generate_images(const std::filesystem::path& path, const GenerationOptions& options, const ImageReceiver& take,
                     const Messages& messages) {
  const Checkpoint checkpoint = load_checkpoint(path, CheckpointUse::kGenerate, options.hardware.allow_older, messages);
  const Inference inference = begin_inference(options.hardware, checkpoint.state.precision, messages);
  const LoadedMethod loaded = load_generator(checkpoint, inference.device, inference.precision);
  for_each_block(loaded, options.seed, options.count,
                 [&](const at::Tensor& pixels, int64_t first) { take(view_of(pixels), first); });
}

}  // namespace frgan
