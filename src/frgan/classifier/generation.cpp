#include "frgan/classifier/generation.h"

#include <algorithm>
#include <charconv>

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
void for_each_block(const LoadedMethod& loaded, int64_t seed, int64_t count, const Visit& visit, int64_t label = -1) {
  for (int64_t first = 0; first < count; first += kGeneratedBlock) {
    const int64_t length = std::min(kGeneratedBlock, count - first);
    visit(to_pixels(generated_block(loaded, seed, first / kGeneratedBlock, label).narrow(0, 0, length)), first);
  }
}

// The class with this name, or else with this number.
int64_t class_number(const std::string& text, const Checkpoint& checkpoint) {
  const std::vector<std::string>& names = checkpoint.state.class_names;
  const auto named = std::ranges::find(names, text);
  if (named != names.end()) return named - names.begin();
  int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 0 && number < std::ssize(names)) {
    return number;
  }
  const std::string hint = nearest_hint(text, names);
  throw usage_error(fmt::format("unknown class '{}'; give a class name of the run, or a number from 0 to {}{}", text,
                                names.size() - 1, hint));
}

}  // namespace

LoadedMethod load_generator(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  LoadedMethod loaded = load_method(checkpoint, device, precision);
  if (!loaded.sampler) {
    throw Error(fmt::format(
        "{}: trained with method '{}', which has no generator; use a run of a method with one (frgan methods)",
        checkpoint.path.string(), checkpoint.state.method));
  }
  return loaded;
}

at::Tensor generated_block(const LoadedMethod& loaded, int64_t seed, int64_t block, int64_t label) {
  const uint64_t key = random_key(static_cast<uint64_t>(seed), Stream::kSampling, 0, static_cast<uint64_t>(block));
  return sampled_images(*loaded.sampler, kGeneratedBlock, key, loaded.problem, block * kGeneratedBlock, label);
}

at::Tensor generated_images(const LoadedMethod& loaded, int64_t seed, int64_t count) {
  const ImageShape& shape = loaded.problem.shape;
  at::Tensor images = at::empty({count, shape.image_size, shape.image_size, shape.channels}, at::kByte);
  for_each_block(loaded, seed, count, [&](const at::Tensor& pixels, int64_t first) {
    images.narrow(0, first, pixels.size(0)).copy_(pixels);
  });
  return images;
}

int64_t generate_images(const std::filesystem::path& path, const GenerationOptions& options, const ImageReceiver& take,
                        const Messages& messages) {
  const Checkpoint checkpoint = load_checkpoint(path, CheckpointUse::kGenerate, options.hardware.allow_older, messages);
  const Inference inference = begin_inference(options.hardware, checkpoint.state.precision, messages);
  const LoadedMethod loaded = load_generator(checkpoint, inference.device, inference.precision);
  const bool has_classes = loaded.sampler->class_conditional;
  if (!options.label.empty() && !has_classes) {
    throw Error(fmt::format("{}: the generator of method '{}' is not class-conditional; remove --class",
                            checkpoint.path.string(), checkpoint.state.method));
  }
  const int64_t label = options.label.empty() ? -1 : class_number(options.label, checkpoint);
  for_each_block(
      loaded, options.seed, options.count,
      [&](const at::Tensor& pixels, int64_t first) { take(view_of(pixels), first); }, label);
  return has_classes && label < 0 ? loaded.problem.shape.classes : 0;
}

}  // namespace frgan
