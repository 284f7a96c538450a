// Images from the generator of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "frgan/core/hardware.h"
#include "frgan/core/image_shape.h"
#include "frgan/core/messages.h"

namespace frgan {

struct GenerationOptions {
  int64_t count = 100;
  int64_t seed = 1;  // of the noise; image i depends on the seed, `label` and i only
  // Class of all images, by name or number. Empty: with a class-conditional generator, the classes in turn.
  std::string label = "";
  Hardware hardware{};
};

// Receives images as they are made. `first` is the number of the first one. The pixels are valid during the call.
using ImageReceiver = std::function<void(const ImageView& images, int64_t first)>;

// Generates images with the last weights of a run. `path` is the folder of a run, for its newest intact checkpoint, or
// of a checkpoint. Returns the number of classes if the images show the classes in turn, else 0. Throws an Error if
// there is no checkpoint, or if its method has no generator.
//
//   generate_images("runs/fr-gan", {.count = 1000}, [](const ImageView& images, int64_t first) {
//     write_separate_images("samples", images, first);
//   });
int64_t generate_images(const std::filesystem::path& path, const GenerationOptions& options, const ImageReceiver& take,
                        const Messages& messages = {});

}  // namespace frgan
