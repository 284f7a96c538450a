// The outputs of a scorer, and the networks that are scorers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/metrics/scorer.h"

namespace frgan {

// Outputs of a scorer for N images, on the CPU.
struct Features {
  at::Tensor probabilities;   // float64, N x K, each row sums to 1
  at::Tensor features;        // float32, N x F; undefined if the scorer has none
  std::string scorer;         // Scorer::name
  std::string scorer_digest;  // Scorer::digest

  int64_t size() const { return probabilities.size(0); }
  Features rows(const at::Tensor& indices) const;  // a copy for these images
};

// The averaged classifier of a run. Its features are the globally pooled outputs of the last convolution. The digest
// covers the names, shapes and values of the averaged weights, so it does not depend on machine or file name.
Scorer checkpoint_scorer(const Checkpoint& checkpoint, at::Device device, Precision precision);
// The same on this hardware.
Scorer checkpoint_scorer(const Checkpoint& checkpoint, const Hardware& hardware, const Messages& messages = {});

// A network in a TorchScript file. Input: float images N x 3 x S x S in [0, 1], with the size of the data. The network
// resizes them if necessary. A grayscale image is repeated in three channels. Output: logits N x K, or a tuple
// (logits, features N x F). The digest is that of the file. The network is tested on two images of `shape`. Throws an
// Error that names the file if it is not TorchScript, fails, or has other outputs.
Scorer torchscript_scorer(const std::filesystem::path& file, const ImageShape& shape, at::Device device);

// Runs the scorer on uint8 images N x S x S x C. Throws an Error if the scorer rejects their shape, or if an output is
// not finite.
//
//   const Features real = features_of(scorer, data.train.images);
Features features_of(const Scorer& scorer, const at::Tensor& images);

}  // namespace frgan
