// Who judges generated images: a trained network, with its name and its digest, for scores of different networks cannot
// be compared.
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

// What a scorer says of N images, on the CPU.
struct Features {
  at::Tensor probabilities;  // float64, N x K, rows of sum 1
  at::Tensor features;       // float32, N x F; undefined where the scorer gives none
  std::string scorer;        // its name and digest
  std::string scorer_digest;

  int64_t size() const { return probabilities.size(0); }
  Features rows(const at::Tensor& indices) const;  // these images, copied
};

struct Scorer {
  std::string name;    // "runs/scorer/checkpoints/step-00020000 (supervised, step 20000)", or the path of a file
  std::string digest;  // SHA-256 of its weights or of its file
  int64_t classes = 0;
  int64_t features = 0;                  // F; 0 without
  std::vector<std::string> class_names;  // empty where it does not say
  // Logits (N x K) and features (N x F, or undefined) of uint8 images N x S x S x C.
  std::function<Classified(const at::Tensor& images)> look;
};

// The averaged classifier of a run; features are its globally pooled last convolution. The digest is of the averaged
// weights, their names and shapes: the same on every machine, whatever the file is called.
Scorer checkpoint_scorer(const Checkpoint& checkpoint, at::Device device, Precision precision);

// A TorchScript file: float N x 3 x H x W of 0 to 1 in (grey images are repeated to three channels, of the size that
// the data has: it resizes itself), logits N x K or (logits, features N x F) out. Its digest is that of the file. It is
// tried on two images of this shape. Throws an Error that names the file where it is no TorchScript, fails within, or
// gives anything else.
Scorer torchscript_scorer(const std::filesystem::path& file, const ImageShape& shape, at::Device device);

// Throws an Error unless the scorer tells the classes of the data apart.
void check_classes(const Scorer& scorer, const Dataset& data);

// Throws an Error for images of a shape that the scorer does not take, and where it gives numbers that are not
// finite.
//
//   const Features real = features_of(scorer, data.train.images);
Features features_of(const Scorer& scorer, const at::Tensor& images);

}  // namespace frgan
