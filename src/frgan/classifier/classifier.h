// A trained network with all that its use needs: image size, normalisation, class names.
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

// What the network says of one image file.
struct FilePrediction {
  std::filesystem::path path;
  std::string error;                 // why the image could not be read; empty where it could
  size_t label = 0;                  // the most probable class
  std::vector<float> probabilities;  // K, sum 1; empty where the image could not be read
};

// What the network says of uint8 images N x S x S x C on any device: logits of the K classes, N x K, and features,
// N x F, both float and on the network's device. Images go there in batches that need some hundred megabytes at most.
Classified classify(Discriminator network, const at::Tensor& images, Precision precision);

// Probabilities of the K classes, float N x K on the network's device, by `classify`. A logit of the fake class takes
// no part.
at::Tensor class_probabilities(Discriminator network, const at::Tensor& images, Precision precision);

class Classifier {
 public:
  // `path` is a run's folder, for its newest whole checkpoint, or one checkpoint's. Throws an Error that says what is
  // missing, altered, or of another architecture. The weights are the averaged ones.
  static Classifier load(const std::filesystem::path& path, at::Device device = at::kCPU,
                         Precision precision = Precision::kFull);
  static Classifier from(const Checkpoint& checkpoint, at::Device device, Precision precision);

  int64_t image_size() const { return network_->shape().image_size; }  // images are square
  int64_t channels() const { return network_->shape().channels; }      // 1 or 3
  const std::vector<std::string>& class_names() const { return class_names_; }

  // float N x K on the CPU, from uint8 images N x S x S x C. Throws an Error for other sizes.
  at::Tensor probabilities(const at::Tensor& images) const;

  // The image is turned, resized and brought to `channels` as io/image_file.h says. Throws an Error that names the
  // file where it cannot be read.
  FilePrediction classify_file(const std::filesystem::path& path) const;

  // The same for many, in order, each given to `take` as soon as it is known; files that cannot be read come with their
  // error. All cores read images, the next ones while a GPU is at work on these.
  void classify_files(std::span<const std::filesystem::path> paths,
                      const std::function<void(const FilePrediction&)>& take) const;

 private:
  Classifier(Discriminator network, std::vector<std::string> class_names, Precision precision);

  Discriminator network_;
  std::vector<std::string> class_names_;
  Precision precision_;
};

}  // namespace frgan
