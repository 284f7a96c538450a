// How well predictions fit labels: error with its interval, per class, confusion; and whether two classifiers differ.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace frgan {

// Shares of images, 0 to 1.
struct Interval {
  double low = 0;
  double high = 1;
};

// Wilson's 95 % interval (1927) of a share of which `hits` of `count` were seen, with z = 1.959963984540054:
//   (p + z^2/2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2/n)
// Unlike p -+ z sqrt(p (1 - p) / n) it stays within 0 and 1, and does not shrink to a point where hits is 0.
// With count 0 it is 0 to 1.
Interval wilson_interval(int64_t hits, int64_t count);

// Images and the wrongly classified among them.
struct ErrorCount {
  int64_t images = 0;
  int64_t wrong = 0;

  double error() const;  // share that is wrong, 0 to 1; NaN without images
  Interval interval() const { return wilson_interval(wrong, images); }
};

struct Classification {
  ErrorCount all;
  std::vector<ErrorCount> classes;              // K, by label
  std::vector<std::vector<int64_t>> confusion;  // K x K images: [label][prediction]
};

// Compares N predictions with N labels, both 0..K-1. Throws an Error when the lengths differ or a number is out of
// range (a label of -1 means "not known": such images cannot be scored).
//
//   const Classification result = score_predictions(labels, predictions, 10);
//   fmt::print("{:.2f} %\n", 100 * result.all.error());
Classification score_predictions(std::span<const int64_t> labels, std::span<const int64_t> predictions,
                                 int64_t classes);

// {"images", "wrong", "error", "error_low", "error_high", "classes": [{"name", ...the same five}], "confusion"}
// Shares, not percent; null where there are no images. Takes K names.
nlohmann::ordered_json to_json(const Classification& result, const std::vector<std::string>& class_names);

// McNemar's test (1947) of two classifiers on the same images: do they err equally often?
struct McNemarTest {
  int64_t only_first_wrong = 0;
  int64_t only_second_wrong = 0;
  // Exact and two-sided for any number of images: of the n images on which one alone errs, the smaller count m is
  // Binomial(n, 1/2) if both are equally good, so p = min(1, 2 P(X <= m)).
  double p_value = 1;
};
McNemarTest mcnemar_test(std::span<const int64_t> labels, std::span<const int64_t> first,
                         std::span<const int64_t> second);
McNemarTest mcnemar_test(int64_t only_first_wrong, int64_t only_second_wrong);
// Of the images that each got wrong, both in ascending order.
McNemarTest mcnemar_test(std::span<const int64_t> first_wrong, std::span<const int64_t> second_wrong);

}  // namespace frgan
