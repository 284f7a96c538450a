#include "frgan/classifier/calibration.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr double kLowestTemperature = 1.0 / 20, kHighestTemperature = 20;

// The derivative of the loss with respect to 1 / temperature: the mean of sum_k (p_k - t_k) logit_k. It increases.
double slope(const HeldOutLogits& held_out, double temperature) {
  const auto classes = static_cast<size_t>(held_out.classes);
  const auto images = static_cast<double>(held_out.labels.size());
  const double of_other = 1 / (static_cast<double>(classes) * (images + 1));
  double sum = 0;
  for (size_t i = 0; i < held_out.labels.size(); ++i) {
    const std::span<const double> logits = std::span(held_out.logits).subspan(i * classes, classes);
    const std::vector<double> probabilities = probabilities_at(logits, temperature);
    for (size_t k = 0; k < classes; ++k) sum += (probabilities[k] - of_other) * logits[k];
    sum -= images / (images + 1) * logits[static_cast<size_t>(held_out.labels[i])];
  }
  return sum;
}

// Four decimals keep state.json small. Never rounded up: a threshold of 1 would accept nothing.
double rounded_down(double share) {
  return std::floor(share * 1e4) / 1e4;
}

}  // namespace

std::vector<double> probabilities_at(std::span<const double> logits, double temperature) {
  const double highest = *std::ranges::max_element(logits);
  std::vector<double> probabilities;
  double sum = 0;
  for (const double logit : logits) sum += probabilities.emplace_back(std::exp((logit - highest) / temperature));
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

double fit_temperature(const HeldOutLogits& held_out) {
  if (held_out.labels.empty()) return 1;
  double low = std::log(1 / kHighestTemperature), high = std::log(1 / kLowestTemperature);  // of 1 / temperature
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (slope(held_out, std::exp(-middle)) < 0 ? low : high) = middle;
  }
  return std::exp(-(low + high) / 2);
}

Calibration calibrate(const HeldOutLogits& held_out, std::string_view images) {
  Calibration result{.temperature = fit_temperature(held_out), .images = std::string(images)};
  const auto classes = static_cast<size_t>(held_out.classes);
  for (size_t i = 0; i < held_out.labels.size(); ++i) {
    const std::vector<double> probabilities =
        probabilities_at(std::span(held_out.logits).subspan(i * classes, classes), result.temperature);
    const auto predicted = std::ranges::max_element(probabilities);
    result.held_out.push_back({rounded_down(*predicted), predicted - probabilities.begin() == held_out.labels[i]});
  }
  std::ranges::stable_sort(result.held_out, std::ranges::greater(), &ScoredPrediction::confidence);
  return result;
}

Json to_json(const Calibration& calibration) {
  if (!calibration.is_fitted()) return {};
  Json confidences = Json::array(), correct = Json::array();
  for (const ScoredPrediction& prediction : calibration.held_out) {
    confidences.push_back(prediction.confidence);
    correct.push_back(prediction.correct ? 1 : 0);
  }
  return {{"temperature", calibration.temperature},
          {"images", calibration.images},
          {"confidences", confidences},
          {"correct", correct}};
}

Calibration calibration_from_json(const Json& json, std::string_view name) try {
  if (json.is_null()) return {};
  Calibration result;
  json.at("temperature").get_to(result.temperature);
  json.at("images").get_to(result.images);
  const auto confidences = json.at("confidences").get<std::vector<double>>();
  const auto correct = json.at("correct").get<std::vector<int64_t>>();
  if (!(result.temperature > 0) || result.images.empty() || confidences.size() != correct.size()) {
    throw Error(fmt::format("{}: invalid calibration: temperature {}, {} confidences, {} results", name,
                            result.temperature, confidences.size(), correct.size()));
  }
  for (size_t i = 0; i < correct.size(); ++i) result.held_out.push_back({confidences[i], correct[i] != 0});
  return result;
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: invalid calibration ({})", name, error.what()));
}

}  // namespace frgan
