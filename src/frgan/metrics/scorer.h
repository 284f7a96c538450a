// Who judges generated pictures: a trained network, with its name and its hash, for scores of different networks cannot
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

// What a scorer says of N pictures, on the CPU.
struct Features {
  at::Tensor probabilities;  // float64, N x K, rows of sum 1
  at::Tensor features;       // float32, N x F; undefined where the scorer gives none
  std::string scorer;        // its name and hash
  std::string scorer_hash;

  int64_t size() const { return probabilities.size(0); }
  Features rows(const at::Tensor& indices) const;  // these pictures, copied
};

struct Scorer {
  std::string name;  // "runs/scorer/checkpoints/step-00020000 (supervised, step 20000)", or the path of a file
  std::string hash;  // SHA-256 of its weights or of its file
  int64_t classes = 0;
  int64_t features = 0;                  // F; 0 without
  std::vector<std::string> class_names;  // empty where it does not say
  // Logits (N x K) and features (N x F, or undefined) of uint8 pictures N x S x S x C.
  std::function<Classified(const at::Tensor& pictures)> look;
};

// The averaged classifier of a run; features are its globally pooled last convolution. The hash is of the averaged
// weights, their names and shapes: the same on every machine, whatever the file is called.
Scorer checkpoint_scorer(const Checkpoint& checkpoint, at::Device device, Precision precision);

// A TorchScript file: float N x 3 x H x W of 0 to 1 in (grey pictures are repeated to three channels, of the size that
// the data has: it resizes itself), logits N x K or (logits, features N x F) out. Its hash is that of the file. It is
// tried on two pictures of this shape. Throws an Error that names the file where it is no TorchScript, fails within, or
// gives anything else.
Scorer torchscript_scorer(const std::filesystem::path& file, const PictureShape& shape, at::Device device);

// Throws an Error unless the scorer tells the classes of the data apart.
void check_classes(const Scorer& scorer, const Dataset& data);

// Throws an Error for pictures of a shape that the scorer does not take, and where it gives numbers that are not
// finite.
//
//   const Features real = features_of(scorer, data.train.pictures);
Features features_of(const Scorer& scorer, const at::Tensor& pictures);

}  // namespace frgan
