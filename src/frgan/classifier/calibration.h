// Calibration of class probabilities by one temperature (Guo et al. 2017), fitted to images that training did not use.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"

namespace frgan {

// A prediction whose label is known.
struct ScoredPrediction {
  double confidence = 0;  // probability of the predicted class, 0 to 1
  bool correct = false;
};

// The class probabilities are softmax(logits / temperature).
struct Calibration {
  double temperature = 1;
  std::string images;  // to which it was fitted: "development images", ...; empty: not calibrated
  // These images, with the calibrated confidence rounded down to four decimals, in descending order.
  std::vector<ScoredPrediction> held_out{};

  bool is_fitted() const { return !images.empty(); }
};
// {"temperature", "images", "confidences": [...], "correct": [0 or 1, ...]}; null if it is not fitted.
Json to_json(const Calibration& calibration);
// Throws an Error that starts with `name` if a key is missing or a value is invalid.
Calibration calibration_from_json(const Json& json, std::string_view name);

// The logits of N images with known labels.
struct HeldOutLogits {
  std::vector<double> logits{};   // N x K
  std::vector<int64_t> labels{};  // N, 0 to K - 1
  int64_t classes = 0;            // K
};

// The temperature between 1/20 and 20 that minimizes the mean of -sum_k t_k log softmax(logits / temperature)_k. The
// targets t are those of one more image whose label is uniformly distributed: t is (N + 1/K) / (N + 1) for the label
// and 1 / (K (N + 1)) for each other class. Without them, a few images that are all correct would give the lowest
// temperature. 1 without images.
double fit_temperature(const HeldOutLogits& held_out);

// Fits the temperature and records the predictions. `images` says what the images are.
Calibration calibrate(const HeldOutLogits& held_out, std::string_view images);

// softmax(logits / temperature) of one image.
std::vector<double> probabilities_at(std::span<const double> logits, double temperature);

}  // namespace frgan
