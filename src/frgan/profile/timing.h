// Wall-clock time of a closure.
#pragma once

#include <functional>
#include <vector>

namespace frgan {

// The median of a non-empty list; for an even count, the lower of the two middle values.
double median(std::vector<double> values);

// Median seconds of `repetitions` runs of the closure, after one untimed warm-up run.
double median_seconds(int repetitions, const std::function<void()>& closure);

}  // namespace frgan
