// Wall-clock seconds of a closure.
#pragma once

#include <functional>
#include <vector>

namespace frgan {

// The middle one; of an even number, the lower of the two.
double median(std::vector<double> values);

// The closure runs once to warm up, and then `repetitions` times.
double median_seconds(int repetitions, const std::function<void()>& closure);

}  // namespace frgan
