// A linear classifier on small images: the baseline that every network should beat.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/nn/named_tensors.h"

namespace frgan {

struct Checkpoint;  // classifier/checkpoint.h

// Multinomial logistic regression on the pixels of images that are averaged to side x side pixels.
struct PixelClassifier {
  static constexpr int64_t kSide = 8;  // pixels
  at::Tensor weight;                   // float, K x (C x 8 x 8)
  at::Tensor bias;                     // float, K

  // The most probable class of each uint8 image, N x S x S x C on any device.
  std::vector<int64_t> predict(const at::Tensor& images) const;
};

// Fits it to labeled images: uint8 N x S x S x C with labels N x int64 in 0..K-1. A thousand images take less than a
// second.
PixelClassifier fit_pixel_classifier(const at::Tensor& images, const at::Tensor& labels, int64_t classes);

// The file of its tensors in a checkpoint, "baseline.safetensors".
inline constexpr const char* kBaseline = "baseline";
NamedTensors tensors_of(const PixelClassifier& classifier);
// That of a checkpoint; empty if it has none, because training was not finished or an older frgan wrote it. Throws an
// Error if the file is corrupt.
std::optional<PixelClassifier> read_pixel_classifier(const Checkpoint& checkpoint);

}  // namespace frgan
