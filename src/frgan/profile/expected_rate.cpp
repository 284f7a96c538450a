#include "frgan/profile/expected_rate.h"

#include "frgan/device/device.h"
#include "frgan/device/machine.h"
#include "frgan/profile/timing.h"

namespace frgan {

double cpu_matrix_rate(int64_t threads) {
  constexpr int64_t kSize = 2048;
  check_address_space(threads);
  set_threads(threads);
  return gemm_rate(has_native_bf16() ? Precision::kBf16 : Precision::kFull, kSize);
}

}  // namespace frgan
