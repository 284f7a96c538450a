#include "frgan/profile/timing.h"

#include <algorithm>
#include <chrono>

namespace frgan {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double median_seconds(int repetitions, const std::function<void()>& closure) {
  using Clock = std::chrono::steady_clock;
  closure();
  std::vector<double> seconds;
  for (int i = 0; i < repetitions; ++i) {
    const Clock::time_point begin = Clock::now();
    closure();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return median(std::move(seconds));
}

}  // namespace frgan
