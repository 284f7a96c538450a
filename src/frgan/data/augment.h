// From rows of an image set to the float images that a network sees: gathered, shifted, flipped, normalised, in one
// pass on the device where the set lies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/core/options.h"

namespace frgan {

// The random change f of a training image (A14, A26). Defaults change nothing.
struct Augmentation {
  int64_t translate = 0;  // shifted by a whole number of pixels, -translate to translate, both ways; 0 to 15
  double noise = 0;       // standard deviation of the Gaussian noise that is added on the scale of -1 to 1; 0 to 2
  bool flip = false;      // mirrored left to right, half of the time
};

struct AugmentationOptions {
  std::vector<std::string> augmentation = {"translate:2"};
};
void describe(OptionSet& options, AugmentationOptions& augmentation);

// From words such as {"translate:2", "noise:0.15", "flip"}, or {"none"}. Throws a usage error that begins with `source`
// and names the word, what is allowed and the nearest name.
Augmentation parse_augmentation(const std::vector<std::string>& words, std::string_view source = "--augmentation");

// Pixels -1 to 1 from uint8: x / 127.5 - 1. From N x H x W x C to N x C x H x W with channels-last strides, in `dtype`
// (float or double).
at::Tensor normalised(const at::Tensor& images, at::ScalarType dtype);

// The way back: N x C x H x W floating numbers, -1 to 1 -> uint8, N x H x W x C on the CPU: round(127.5 x + 127.5),
// limited to 0..255. Throws an Error where a number is not finite.
at::Tensor to_pixels(const at::Tensor& images);

// The images of `rows` (int64, n) of a set (uint8, N x H x W x C, on the device of `rows`), augmented and normalised:
// n x C x H x W with channels-last strides. Borders are filled by reflection (-1 is 1, and W is W - 2). How row i is
// changed is a function of (key, i), the same on every device but for the noise. Reads no value back from the device.
at::Tensor augmented(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation, uint64_t key,
                     at::ScalarType dtype);

// The same by LibTorch's operators, for any device; `augmented` uses a loop of our own on a CPU.
at::Tensor augmented_by_operators(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation,
                                  uint64_t key, at::ScalarType dtype);

}  // namespace frgan
