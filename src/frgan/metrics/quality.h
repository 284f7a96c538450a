// Whether a trained classifier is useful, and how far its probabilities can be trusted: what `frgan train`, `evaluate`
// and the report say besides the error. quality.json in the run folder holds it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/classifier/calibration.h"
#include "frgan/core/evaluated_images.h"
#include "frgan/core/json.h"
#include "frgan/metrics/classification.h"
#include "frgan/metrics/confidence.h"

namespace frgan {

// A classifier that anybody gets without training a network.
struct Baseline {
  std::string name;  // "guessing", "always 'cat'", "linear classifier on 8x8 pixels"
  double error = 0;  // on the evaluated images, 0 to 1; of guessing: expected, 1 - 1/K
  // Whether the network has a lower error with 95 % confidence: by McNemar's test; for guessing, by Wilson's interval.
  bool is_beaten = false;
};

// Mean of the loss -log p(label), and how far confidence and accuracy agree.
struct CalibrationQuality {
  double log_loss = 0;
  double error = 0;  // expected calibration error, 0 to 1
  std::vector<ReliabilityBin> bins{};
};

struct Quality {
  EvaluatedImages role = EvaluatedImages::kTest;
  ErrorCount count{};
  double macro_f1 = 0;   // mean of the F1 scores of the classes that have images, 0 to 1
  int64_t top = 1;       // k of top_error; 1 if there are too few classes for more
  double top_error = 0;  // share of images whose label is not among the k most probable classes
  std::vector<Baseline> baselines{};
  Calibration calibration{};  // without the held-out predictions
  int64_t calibration_images = 0;
  CalibrationQuality uncalibrated{}, calibrated{};  // equal if nothing was fitted
  double auroc = 0;  // that the confidence separates correct from wrong predictions; NaN without one of the two
  std::vector<CoveragePoint> risk_coverage{};
  std::optional<double> labeled_error{};  // on labeled training images, 0 to 1
  std::vector<std::string> warnings{};    // for people: one sentence each
};

// Outputs of a classifier on N images with known labels.
struct Outputs {
  std::span<const float> logits;    // N x K
  std::span<const int64_t> labels;  // N, 0 to K - 1
  int64_t classes = 0;              // K
};

// What is known about the classifier and its training.
struct QualityBasis {
  std::vector<std::string> class_names{};  // K
  Calibration calibration{};
  std::vector<int64_t> label_counts{};       // K: labeled training images of each class; empty: unknown
  std::vector<int64_t> pixel_predictions{};  // N: of the linear classifier on pixels; empty: there is none
  int64_t pixel_side = 0;                    // its images have this many pixels a side
  std::optional<double> labeled_error{};
};

//   const Quality quality = measure_quality({logits, labels, 10}, EvaluatedImages::kTest, basis);
//   for (const std::string& warning : quality.warnings) fmt::print("{}\n", warning);
Quality measure_quality(const Outputs& outputs, EvaluatedImages role, const QualityBasis& basis);

// Mean F1 score, 2 TP / (2 TP + FP + FN), of the classes that occur in labels or predictions. `confusion` is K x K
// counts: [label][prediction].
double macro_f1(const std::vector<std::vector<int64_t>>& confusion);

Json to_json(const Quality& quality);
// Throws an Error that starts with `name` if a key is missing or a value is invalid.
Quality quality_from_json(const Json& json, std::string_view name);

// quality.json, with a checksum (io/json_file.h).
void write_quality(const std::filesystem::path& path, const Quality& quality);
Quality read_quality(const std::filesystem::path& path);

// The lines of `train` and `evaluate`: accuracy, macro F1, baselines, calibration, and the warnings.
std::string quality_text(const Quality& quality);

}  // namespace frgan
