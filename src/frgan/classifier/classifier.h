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
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "frgan/classifier/calibration.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/core/messages.h"

namespace frgan {

// Classification result of one image file.
struct FilePrediction {
  std::filesystem::path path;
  std::string error;                 // why the image could not be read; empty on success
  size_t label = 0;                  // index of the most probable class
  std::vector<float> probabilities;  // K values that sum to 1; empty if the image could not be read
};

// A copy shares the network.
class Classifier {
 public:
  // Loads the averaged weights. `path` is the folder of a checkpoint, or of a run, for its newest intact checkpoint. It
  // can also be an exported model (docs/export.md), for which PrecisionChoice::kAuto selects fp32.
  // The number of threads applies to the whole process. Throws an Error that names a missing or corrupt file, or an
  // architecture mismatch.
  static Classifier load(const std::filesystem::path& path, const Hardware& hardware = {},
                         const Messages& messages = {});

  int64_t image_size() const;                           // side of the square images in pixels
  int64_t channels() const;                             // 1 (gray) or 3 (RGB)
  const std::vector<std::string>& class_names() const;  // K names; the index is the label
  const Calibration& calibration() const;               // of the probabilities

  // Class probabilities of N images: N x K values, where each row sums to 1. `pixels` holds N x S x S x C values, 0 to
  // 255, where S is image_size() and C is channels(). Throws an Error if its length is not a multiple of S x S x C.
  std::vector<float> probabilities(std::span<const uint8_t> pixels) const;

  // Rotates, resizes and converts the image to `channels()` as io/image_file.h specifies, without rounding to bytes, by
  // the ResizeRule of the checkpoint. Throws an Error that names the file if it cannot be read.
  FilePrediction classify_file(const std::filesystem::path& path) const;

  // The same for many files. Calls `take` for each file in order, as soon as its result is known; an unreadable file
  // has its error set. All cores decode images. On a GPU, decoding overlaps with classification.
  void classify_files(std::span<const std::filesystem::path> paths,
                      const std::function<void(const FilePrediction&)>& take) const;

 private:
  struct Network;  // holds LibTorch's types
  explicit Classifier(std::shared_ptr<const Network> network);
  static Classifier load_exported(const std::filesystem::path& folder, const Hardware& hardware,
                                  const Messages& messages);

  std::shared_ptr<const Network> network_;
};

}  // namespace frgan
