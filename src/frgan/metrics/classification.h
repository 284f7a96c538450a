// Classification error with its confidence interval, in total and per class; confusion matrix; McNemar's test.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "frgan/core/json.h"

namespace frgan {

// A confidence interval of a fraction of images, 0 to 1.
struct Interval {
  double low = 0;
  double high = 1;
};

// Wilson's 95 % interval (1927) of a fraction, after `hits` of `count` were observed, with z = 1.959963984540054:
//   (p + z^2/2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2/n)
// Unlike the normal interval p -+ z sqrt(p (1 - p) / n), it stays within [0, 1] and has a width above 0 for 0 hits.
// Count 0 gives [0, 1].
Interval wilson_interval(int64_t hits, int64_t count);

// Number of images, and how many of them are misclassified.
struct ErrorCount {
  int64_t images = 0;
  int64_t wrong = 0;

  double error() const;  // error rate, 0 to 1; NaN for 0 images
  Interval interval() const { return wilson_interval(wrong, images); }
};

struct Classification {
  ErrorCount all;
  std::vector<ErrorCount> classes;              // K entries, indexed by label
  std::vector<std::vector<int64_t>> confusion;  // K x K counts: [label][prediction]
};

// Compares N predictions with N labels, both in 0..K-1. Throws an Error if the lengths differ or a value is out of
// range. Images of unknown label (-1) cannot be scored and are an error.
//
//   const Classification result = score_predictions(labels, predictions, 10);
//   fmt::print("{:.2f} %\n", 100 * result.all.error());
Classification score_predictions(std::span<const int64_t> labels, std::span<const int64_t> predictions,
                                 int64_t classes);

// {"images", "wrong", "error", "error_low", "error_high", "classes": [{"name", ...the same five keys}], "confusion"}
// Errors are fractions, not percent, and null for 0 images. `class_names` has K entries.
Json to_json(const Classification& result, const std::vector<std::string>& class_names);

// McNemar's test (1947): whether two classifiers have the same error rate on the same images.
struct McNemarTest {
  int64_t only_first_wrong = 0;
  int64_t only_second_wrong = 0;
  // Exact two-sided p-value. Let n be the images that exactly one classifier gets wrong, and m the smaller of the two
  // counts. Under equal error rates, X is Binomial(n, 1/2), and p = min(1, 2 P(X <= m)).
  double p_value = 1;
};
McNemarTest mcnemar_test(std::span<const int64_t> labels, std::span<const int64_t> first,
                         std::span<const int64_t> second);
McNemarTest mcnemar_test(int64_t only_first_wrong, int64_t only_second_wrong);
// Takes the indices of each classifier's misclassified images, in ascending order.
McNemarTest mcnemar_test(std::span<const int64_t> first_wrong, std::span<const int64_t> second_wrong);

}  // namespace frgan
