#include "frgan/train/optimizer_kernels.h"

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

template <class T>
inline __attribute__((always_inline)) void update(T* value, const T* gradient, T* velocity, int64_t count,
                                                  const SgdStep& step) {
  const T rate = static_cast<T>(step.learning_rate), momentum = static_cast<T>(step.momentum);
  // The direction is a gradient + b velocity.
  const T a = step.nesterov ? T{1} : T{0}, b = step.nesterov ? momentum : T{1};
  for (int64_t i = 0; i < count; ++i) {
    velocity[i] = momentum * velocity[i] + gradient[i];
    value[i] -= rate * (a * gradient[i] + b * velocity[i]);
  }
}

}  // namespace

FRGAN_VECTORISED void sgd_update(float* value, const float* gradient, float* velocity, int64_t count,
                                 const SgdStep& step) {
  update(value, gradient, velocity, count, step);
}
FRGAN_VECTORISED void sgd_update(double* value, const double* gradient, double* velocity, int64_t count,
                                 const SgdStep& step) {
  update(value, gradient, velocity, count, step);
}

FRGAN_VECTORISED void adam_update(float* value, const float* gradient, float* mean, float* square, int64_t count,
                                  const AdamStep& step) {
  update(value, gradient, mean, square, count, step);
}
FRGAN_VECTORISED void adam_update(double* value, const double* gradient, double* mean, double* square, int64_t count,
                                  const AdamStep& step) {
  update(value, gradient, mean, square, count, step);
}

}  // namespace frgan
