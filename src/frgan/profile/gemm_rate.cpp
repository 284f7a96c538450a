#include "frgan/profile/gemm_rate.h"

#include <algorithm>

#include <torch/types.h>

#include "frgan/device/random.h"
#include "frgan/profile/timing.h"

namespace frgan {

double gemm_rate(at::ScalarType type, int64_t largest) {
  const torch::NoGradGuard no_grad;
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
