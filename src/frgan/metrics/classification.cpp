#include "frgan/metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

void check_equal_length(size_t labels, size_t predictions) {
  if (labels != predictions) {
    throw Error(fmt::format("{} predictions for {} labels: both must cover the same images", predictions, labels));
  }
}

size_t checked_class(int64_t value, int64_t classes, const char* what, size_t row) {
  if (value < 0 || value >= classes) {
    throw Error(fmt::format("{} of image {} is {}: must be 0 to {}", what, row, value, classes - 1));
  }
  return static_cast<size_t>(value);
}

Json count_json(const ErrorCount& count) {
  return {{"images", count.images},
          {"wrong", count.wrong},
          {"error", count.error()},  // NaN becomes null
          {"error_low", count.interval().low},
          {"error_high", count.interval().high}};
}

}  // namespace

Interval wilson_interval(int64_t hits, int64_t count) {
  if (count == 0) return {};
  constexpr double kZ = 1.959963984540054;
  const double n = static_cast<double>(count);
  const double p = static_cast<double>(hits) / n;
  const double scale = 1 + kZ * kZ / n;
  const double center = (p + kZ * kZ / (2 * n)) / scale;
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / scale;
  // Without rounding, the formula gives exactly 0 for no hits and 1 for all hits.
  return {hits == 0 ? 0 : center - half, hits == count ? 1 : center + half};
}

double ErrorCount::error() const {
  if (images == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(wrong) / static_cast<double>(images);
}

Classification score_predictions(std::span<const int64_t> labels, std::span<const int64_t> predictions,
                                 int64_t classes) {
  check_equal_length(labels.size(), predictions.size());
  const auto k = static_cast<size_t>(classes);
  Classification result{{}, std::vector<ErrorCount>(k), {k, std::vector<int64_t>(k)}};
  for (size_t row = 0; row < labels.size(); ++row) {
    const size_t label = checked_class(labels[row], classes, "the label", row);
    const size_t prediction = checked_class(predictions[row], classes, "the prediction", row);
    ++result.confusion[label][prediction];
    for (ErrorCount* count : {&result.all, &result.classes[label]}) {
      ++count->images;
      count->wrong += label != prediction;
    }
  }
  return result;
}

Json to_json(const Classification& result, const std::vector<std::string>& class_names) {
  Json json = count_json(result.all);
  json["classes"] = Json::array();
  for (size_t label = 0; label < result.classes.size(); ++label) {
    Json entry = {{"name", class_names.at(label)}};
    entry.update(count_json(result.classes[label]));
    json["classes"].push_back(entry);
  }
  json["confusion"] = result.confusion;
  return json;
}

McNemarTest mcnemar_test(std::span<const int64_t> labels, std::span<const int64_t> first,
                         std::span<const int64_t> second) {
  check_equal_length(labels.size(), first.size());
  check_equal_length(labels.size(), second.size());
  int64_t only_first_wrong = 0, only_second_wrong = 0;
  for (size_t row = 0; row < labels.size(); ++row) {
    const bool first_wrong = first[row] != labels[row], second_wrong = second[row] != labels[row];
    only_first_wrong += first_wrong && !second_wrong;
    only_second_wrong += second_wrong && !first_wrong;
  }
  return mcnemar_test(only_first_wrong, only_second_wrong);
}

McNemarTest mcnemar_test(int64_t only_first_wrong, int64_t only_second_wrong) {
  const auto n = static_cast<double>(only_first_wrong + only_second_wrong);
  const int64_t smaller = std::min(only_first_wrong, only_second_wrong);
  // The terms C(n, i) / 2^n are computed from logarithms: 2^n overflows for n >= 1024.
  double tail = 0;
  for (int64_t i = 0; i <= smaller; ++i) {
    const auto x = static_cast<double>(i);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) - n * std::numbers::ln2);
  }
  return {only_first_wrong, only_second_wrong, std::min(1.0, 2 * tail)};
}

McNemarTest mcnemar_test(std::span<const int64_t> first_wrong, std::span<const int64_t> second_wrong) {
  std::vector<int64_t> both;
  std::ranges::set_intersection(first_wrong, second_wrong, std::back_inserter(both));
  return mcnemar_test(std::ssize(first_wrong) - std::ssize(both), std::ssize(second_wrong) - std::ssize(both));
}

}  // namespace frgan
