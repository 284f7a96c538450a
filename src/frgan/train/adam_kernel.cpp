#include "frgan/train/adam_kernel.h"

#include <cmath>

#include "frgan/core/vectorised.h"

namespace frgan {
namespace {

template <class T>
inline __attribute__((always_inline)) void update(T* value, const T* gradient, T* mean, T* square, int64_t count,
                                                  const AdamStep& step) {
  const T size = static_cast<T>(step.step_size), scale = static_cast<T>(step.variance_scale);
  const T beta1 = static_cast<T>(step.beta1), beta2 = static_cast<T>(step.beta2);
  const T rest1 = static_cast<T>(1 - step.beta1), rest2 = static_cast<T>(1 - step.beta2);
  const T inside = static_cast<T>(step.epsilon_inside_root ? step.epsilon : 0);
  const T outside = static_cast<T>(step.epsilon_inside_root ? 0 : step.epsilon);
  for (int64_t i = 0; i < count; ++i) {
    const T g = gradient[i];
    mean[i] = beta1 * mean[i] + rest1 * g;
    square[i] = beta2 * square[i] + rest2 * g * g;
    value[i] -= size * mean[i] / (std::sqrt(square[i] * scale + inside) + outside);
  }
}

}  // namespace

FRGAN_VECTORISED void adam_update(float* value, const float* gradient, float* mean, float* square, int64_t count,
                                  const AdamStep& step) {
  update(value, gradient, mean, square, count, step);
}
FRGAN_VECTORISED void adam_update(double* value, const double* gradient, double* mean, double* square, int64_t count,
                                  const AdamStep& step) {
  update(value, gradient, mean, square, count, step);
}

}  // namespace frgan
