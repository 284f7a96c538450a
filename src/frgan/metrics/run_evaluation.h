// Evaluates a run on labeled images, as `frgan evaluate` does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/evaluated_images.h"
#include "frgan/core/hardware.h"
#include "frgan/core/messages.h"
#include "frgan/data/image_files.h"
#include "frgan/metrics/classification.h"
#include "frgan/metrics/quality.h"
#include "frgan/metrics/unknown_score.h"

namespace frgan {

struct EvaluationRequest {
  std::filesystem::path checkpoint;  // a run, for its newest intact checkpoint, or a checkpoint
  DataSource data{};
  EvaluatedImages on = EvaluatedImages::kTest;
  std::filesystem::path compare{};  // a second run or checkpoint; empty: none
  std::filesystem::path unknown{};  // folder with images of other classes; empty: none
  Hardware hardware{};
};

struct RunEvaluation {
  std::filesystem::path checkpoint;
  std::string method;  // "fr-gan"
  int64_t step = 0;
  std::vector<std::string> class_names;  // K
  std::string data;                      // folder or file of the images
  Precision precision = Precision::kFull;
  std::string device;  // device/device.h: device_name
  Classification result;
  Quality quality;
  std::vector<int64_t> labels;       // N, 0 to K - 1
  std::vector<int64_t> predictions;  // N, 0 to K - 1
  std::vector<float> probabilities;  // N, of the predictions, calibrated
  std::vector<std::string> files;    // N, relative to `data`, if each image is a file; else empty
  // Of an image folder; neither is in `result`.
  std::vector<UnreadableImage> unreadable;
  std::vector<UnknownClass> unknown_classes;

  struct Comparison {
    std::filesystem::path checkpoint;
    Classification result;
    McNemarTest test;  // of the first and the second classifier
  };
  std::optional<Comparison> comparison;  // with EvaluationRequest::compare

  // With EvaluationRequest::unknown.
  std::vector<UnknownScore> unknown_scores{};
  int64_t unknown_images = 0;
};

// Of an image folder, only the test images are decoded (read_test_images in data/image_folder.h). Throws an Error if a
// checkpoint or the data cannot be read, if other data has other classes than the network, or if there are no images to
// evaluate.
//
//   const RunEvaluation found = evaluate_run({.checkpoint = "runs/a", .data = {.root = "data"}});
//   fmt::print("{:.2f} %\n", 100 * found.result.all.error());
RunEvaluation evaluate_run(const EvaluationRequest& request, const Messages& messages = {});

}  // namespace frgan
