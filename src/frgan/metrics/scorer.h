// A scorer is a trained network that rates generated images. It has a name and a digest, because scores of different
// scorers are not comparable.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/data/dataset.h"

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

struct Scorer {
  std::string name;    // "runs/scorer/checkpoints/step-00020000 (supervised, step 20000)", or the path of a file
  std::string digest;  // SHA-256 of its weights or of its file
  int64_t classes = 0;
  int64_t features = 0;                  // F; 0 without features
  std::vector<std::string> class_names;  // K names; empty if unknown
  // uint8 images N x S x S x C -> logits (N x K) and features (N x F, or undefined).
  std::function<Classified(const at::Tensor& images)> classify;
};

// The averaged classifier of a run. Its features are the globally pooled outputs of the last convolution. The digest
// covers the names, shapes and values of the averaged weights, so it does not depend on machine or file name.
Scorer checkpoint_scorer(const Checkpoint& checkpoint, at::Device device, Precision precision);

// A network in a TorchScript file. Input: float images N x 3 x S x S in [0, 1], with the size of the data; the network
// resizes them if necessary, and a grayscale image is repeated in three channels. Output: logits N x K, or a tuple
// (logits, features N x F). The digest is that of the file. The network is tested on two images of `shape`. Throws an
// Error that names the file if it is not TorchScript, fails, or has other outputs.
Scorer torchscript_scorer(const std::filesystem::path& file, const ImageShape& shape, at::Device device);

// Throws an Error unless the scorer has the classes of the data.
void check_classes(const Scorer& scorer, const Dataset& data);

// Runs the scorer on uint8 images N x S x S x C. Throws an Error if the scorer rejects their shape, or if an output is
// not finite.
//
//   const Features real = features_of(scorer, data.train.images);
Features features_of(const Scorer& scorer, const at::Tensor& images);

}  // namespace frgan
