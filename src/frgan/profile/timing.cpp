#include "frgan/profile/timing.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include <torch/types.h>

#include "frgan/device/random.h"
#include "frgan/metrics/statistics.h"

namespace frgan {

double median_seconds(int repetitions, const std::function<void()>& closure) {
  using Clock = std::chrono::steady_clock;
  closure();
  std::vector<double> seconds;
  for (int i = 0; i < repetitions; ++i) {
    const Clock::time_point begin = Clock::now();
    closure();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return median(seconds);
}

double gemm_rate(Precision precision, int64_t largest) {
  const torch::NoGradGuard no_grad;
  const at::ScalarType type = precision == Precision::kBf16 ? at::kBFloat16 : at::kFloat;
  double best = 0;
  for (const int64_t n : {largest / 4, largest / 2, largest}) {
    const at::Tensor a = random_uniform({n, n}, -1, 1, 1, at::kFloat).to(type), b = a.t().contiguous();
    const int repetitions = n == largest ? 5 : 9;
    const double seconds = median_seconds(repetitions, [&] { at::matmul(a, b); });
    best = std::max(best, 2.0 * static_cast<double>(n * n * n) / seconds);
  }
  return best;
}

}  // namespace frgan
