// A trained classifier with everything needed to use it: image size, normalization and class names.
//
//   #include <iostream>
//   #include <frgan/classifier/classifier.h>
//
//   int main(int count, char** arguments) {
//     if (count != 3) {
//       std::cerr << "usage: classify CHECKPOINT IMAGE\n";
//       return 2;
//     }
//     try {
//       const frgan::Classifier classifier = frgan::Classifier::load(arguments[1]);
//       const frgan::FilePrediction result = classifier.classify_file(arguments[2]);
//       std::cout << classifier.class_names()[result.label] << ' ' << result.probabilities[result.label] << '\n';
//     } catch (const frgan::Error& error) {
//       std::cerr << error.what() << '\n';
//       return 1;
//     }
//   }
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/error.h"
#include "frgan/nn/discriminator.h"

namespace frgan {

// Classification result of one image file.
struct FilePrediction {
  std::filesystem::path path;
  std::string error;                 // why the image could not be read; empty on success
  size_t label = 0;                  // index of the most probable class
  std::vector<float> probabilities;  // K values that sum to 1; empty if the image could not be read
};

// Classifies uint8 images N x S x S x C, which may be on any device. Returns logits N x K and features N x F, both
// float on the network's device. Images are copied there in batches that need at most some hundred megabytes. Throws an
// Error for other types and shapes.
Classified classify(Discriminator network, const at::Tensor& images, Precision precision);

// Class probabilities from `classify`: float N x K on the network's device. An explicit fake logit is ignored.
at::Tensor class_probabilities(Discriminator network, const at::Tensor& images, Precision precision);

class Classifier {
 public:
  // Loads the averaged weights. `path` is the folder of a checkpoint, or of a run, for its newest intact checkpoint.
  // Throws an Error that names a missing or corrupt file, or an architecture mismatch.
  static Classifier load(const std::filesystem::path& path, at::Device device = at::kCPU,
                         Precision precision = Precision::kFull);
  static Classifier from(const Checkpoint& checkpoint, at::Device device, Precision precision);

  int64_t image_size() const { return network_->shape().image_size; }  // images are square
  int64_t channels() const { return network_->shape().channels; }      // 1 or 3
  const std::vector<std::string>& class_names() const { return class_names_; }

  // Float N x K on the CPU, from uint8 images N x S x S x C. Throws an Error for other types and shapes.
  at::Tensor probabilities(const at::Tensor& images) const;

  // Rotates, resizes and converts the image to `channels()` as io/image_file.h specifies. Throws an Error that names
  // the file if it cannot be read.
  FilePrediction classify_file(const std::filesystem::path& path) const;

  // The same for many files. Calls `take` for each file in order, as soon as its result is known; an unreadable file
  // has its error set. All cores decode images. On a GPU, decoding overlaps with classification.
  void classify_files(std::span<const std::filesystem::path> paths,
                      const std::function<void(const FilePrediction&)>& take) const;

 private:
  Classifier(Discriminator network, std::vector<std::string> class_names, Precision precision);

  Discriminator network_;
  std::vector<std::string> class_names_;
  Precision precision_;
};

}  // namespace frgan
