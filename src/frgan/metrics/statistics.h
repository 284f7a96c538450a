// Numbers over the seeds of a run: mean, spread, and whether a difference is more than chance.
#pragma once

#include <cstdint>
#include <span>

#include "frgan/metrics/classification.h"

namespace frgan {

double mean(std::span<const double> values);    // NaN without values
double median(std::span<const double> values);  // the mean of the middle two where their number is even; NaN without
// Of the last 20 alone, as of a run's evaluations, where it shows whether the last one was luck; NaN for fewer.
double late_median(std::span<const double> values);
// Of a sample, with n - 1; NaN for fewer than two.
double standard_deviation(std::span<const double> values);

// The two-sided 95 % quantile of Student's t with so many degrees of freedom, 1 or more: 12.706 for 1, 1.96 for many.
double t_quantile(int64_t degrees);

// The mean of n values and its 95 % t interval, mean -+ t s / sqrt(n); an interval of everything for fewer than two.
struct MeanInterval {
  int64_t count = 0;
  double mean = 0;
  double low = 0, high = 0;
};
MeanInterval mean_interval(std::span<const double> values);

}  // namespace frgan
