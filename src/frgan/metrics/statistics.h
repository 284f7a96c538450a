// Statistics over repeated runs with different seeds: mean, median, standard deviation and confidence interval.
#pragma once

#include <cstdint>
#include <span>

#include "frgan/metrics/classification.h"

namespace frgan {

double mean(std::span<const double> values);    // NaN for no values
double median(std::span<const double> values);  // mean of the middle two of an even number; NaN for no values
// Median of the last 20 values; NaN for fewer than 20. For a run's evaluations, it shows whether the final one is
// typical.
double late_median(std::span<const double> values);
// Sample standard deviation (divided by n - 1); NaN for fewer than two values.
double standard_deviation(std::span<const double> values);

// Two-sided 95 % quantile of Student's t distribution with `degrees` >= 1 degrees of freedom: 12.706 for 1, decreasing
// towards 1.96.
double t_quantile(int64_t degrees);

// Mean of n values with its 95 % t interval, mean -+ t s / sqrt(n). The interval is infinite for fewer than two values.
struct MeanInterval {
  int64_t count = 0;
  double mean = 0;
  double low = 0, high = 0;
};
MeanInterval mean_interval(std::span<const double> values);

}  // namespace frgan
