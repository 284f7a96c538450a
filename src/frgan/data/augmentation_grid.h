// Augmented views of training images, to look at an augmentation policy. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/data/data_options.h"
#include "frgan/data/load_watch.h"

namespace frgan {

// Views of some random training images: for each image, the image itself and then `views` views of it.
struct AugmentationGrid {
  int64_t image_size = 0;       // S, pixels
  int64_t channels = 0;         // C, 1 or 3
  std::vector<uint8_t> pixels;  // (images (views + 1)) x S x S x C, 0 to 255
};

struct AugmentationGridOptions {
  std::string policy = "strong";
  int64_t images = 12;
  int64_t views = 9;
  int64_t seed = 1;
};

// Throws like load_dataset, and a usage error for an invalid policy.
AugmentationGrid augmentation_grid(const DataOptions& data, const AugmentationOptions& augmentation,
                                   const AugmentationGridOptions& options, const std::filesystem::path& data_root,
                                   const LoadWatch& watch = {});

}  // namespace frgan
