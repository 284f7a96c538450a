// Converts rows of an image set to the float images that a network receives: gathers, shifts, flips and normalizes them
// in one pass, on the device of the set.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/data/data_options.h"
#include "frgan/data/image_operations.h"

namespace frgan {

// An operation that randaugment may choose, with a uniform magnitude.
struct ChosenOperation {
  ImageOperation operation;
  double low, high;
};

// The random change f of a training image (A14, A26). The default is no change.
struct Augmentation {
  int64_t translate = 0;  // shift by -translate to translate whole pixels, vertically and horizontally; 0 to 15
  double noise = 0;       // standard deviation of additive Gaussian noise, for pixels in [-1, 1]; 0 to 2
  bool flip = false;      // mirror left to right with probability 1/2
  // RandAugment as in FixMatch: this number of random operations, each with a random magnitude; 0 to 8.
  int64_t operations = 0;
  std::vector<ChosenOperation> choices{};
  double cutout = 0;  // largest side of a gray square, as a share of the image's side; 0 to 1
};

// Parses words such as {"translate:2", "noise:0.15", "flip", "randaugment:2", "cutout:0.5"}, or {"none"}. Words such as
// "rotate" or "rotate:-10:10" name the operations that randaugment chooses from, with their range of magnitudes;
// without them, it chooses from all 14 of FixMatch. The name of a policy of `own` stands for its words. Throws a usage
// error that begins with `source` and contains the word, what is allowed, and the nearest name.
Augmentation parse_augmentation(const std::vector<std::string>& words, std::string_view source = "--augmentation",
                                const std::vector<std::string>& own = {});

// Augmentation policies by name.
using Policies = std::map<std::string, Augmentation>;

// The policies "weak", "strong", "noise" and "none". Weak and strong change nothing.
Policies built_in_policies();
// The same with the options of weak and strong, and the user's own ones. Throws a usage error for an invalid
// policy.
Policies augmentation_policies(const AugmentationOptions& options);
// Throws a usage error if a policy flips images of a dataset that does not allow it (DatasetKind::allows_flips).
void check_flips(const Policies& policies, std::string_view dataset);

// Maps uint8 pixels to [-1, 1]: x / 127.5 - 1. From N x H x W x C to N x C x H x W with channels-last strides, in
// `dtype` (float or double).
at::Tensor normalised(const at::Tensor& images, at::ScalarType dtype);

// The inverse of `normalised`: round(127.5 x + 127.5), clamped to 0 to 255. From N x C x H x W floating-point values to
// N x H x W x C uint8 on the CPU. Throws an Error if a value is NaN or infinite.
at::Tensor to_pixels(const at::Tensor& images);

// The random numbers of an augmentation of n images of H x W pixels, drawn by the host. A tensor is undefined if the
// augmentation has no such change.
struct AugmentationPlan {
  at::Tensor y, x;  // n x H and n x W, int64: source row and column of each pixel
  ImageOperations operations;
  double noise = 0;  // standard deviation
  uint64_t noise_key = 0;

  // All tensors, in a fixed order.
  std::vector<at::Tensor*> tensors() {
    return {&y, &x, &operations.codes, &operations.magnitudes, &operations.positions};
  }
};

// The change of image i is a function of (key, i). Borders are filled by reflection: -1 maps to 1, and W to W - 2.
AugmentationPlan plan_augmentation(int64_t count, int64_t height, int64_t width, const Augmentation& augmentation,
                                   uint64_t key);

// Augments and normalizes the images `rows` (int64, n) of a set (uint8, N x H x W x C). The rows and the tensors of the
// plan are on the device of the images. Returns n x C x H x W with channels-last strides. All but the noise are the
// same on every device. Does not read values back from the device.
at::Tensor augmented(const at::Tensor& images, const at::Tensor& rows, const AugmentationPlan& plan,
                     at::ScalarType dtype);

// Plans and augments.
at::Tensor augmented(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation, uint64_t key,
                     at::ScalarType dtype);

// Augments with LibTorch operators, for any device. On a CPU, `augmented` uses a faster loop instead.
at::Tensor augmented_by_operators(const at::Tensor& images, const at::Tensor& rows, const AugmentationPlan& plan,
                                  at::ScalarType dtype);

}  // namespace frgan
