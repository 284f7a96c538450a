// A scorer is a trained network that rates generated images. It has a name and a digest, because scores of different
// scorers are not comparable. Its outputs are in features.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "frgan/core/hardware.h"
#include "frgan/core/image_shape.h"
#include "frgan/core/messages.h"

namespace at {
class Tensor;
}

namespace frgan {

struct Classified;  // nn/discriminator.h
struct Dataset;     // data/dataset.h

struct Scorer {
  std::string name;    // "runs/scorer/checkpoints/step-00020000 (supervised, step 20000)", or the path of a file
  std::string digest;  // SHA-256 of its weights or of its file
  int64_t classes = 0;
  int64_t features = 0;                  // F; 0 without features
  std::vector<std::string> class_names;  // K names; empty if unknown
  // uint8 images N x S x S x C -> logits (N x K) and features (N x F, or undefined).
  std::function<Classified(const at::Tensor& images)> classify;
  std::string precision = "its own precision";  // "fp32" or "bf16"; a TorchScript file has its own
};

// Loads a run, a checkpoint or a TorchScript file as a scorer of images of `shape`. Throws an Error that names the path
// if it is none of these.
//
//   const Scorer scorer = load_scorer("runs/scorer", {32, 3, 10}, Hardware{});
Scorer load_scorer(const std::filesystem::path& path, const ImageShape& shape, const Hardware& hardware,
                   const Messages& messages = {});

// Throws an Error unless the scorer has the classes of the data.
void check_classes(const Scorer& scorer, const Dataset& data);

}  // namespace frgan
