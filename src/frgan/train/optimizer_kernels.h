// Updates of contiguous buffers by an optimizer, in one pass over memory.
#pragma once

#include <cstdint>

namespace frgan {

struct AdamStep {
  double step_size;       // learning rate / (1 - beta1^t)
  double variance_scale;  // 1 / (1 - beta2^t)
  double beta1, beta2, epsilon;
  bool epsilon_inside_root;
};

// mean   = beta1 mean + (1 - beta1) gradient
// square = beta2 square + (1 - beta2) gradient^2
// value -= step_size mean / (sqrt(square variance_scale) + epsilon)
// With epsilon_inside_root, the divisor is sqrt(square variance_scale + epsilon) (A31).
void adam_update(float* value, const float* gradient, float* mean, float* square, int64_t count, const AdamStep& step);
void adam_update(double* value, const double* gradient, double* mean, double* square, int64_t count,
                 const AdamStep& step);

struct SgdStep {
  double learning_rate;
  double momentum;
  bool nesterov;
};

// velocity = momentum velocity + gradient
// value -= learning_rate velocity, or with nesterov, learning_rate (gradient + momentum velocity)
void sgd_update(float* value, const float* gradient, float* velocity, int64_t count, const SgdStep& step);
void sgd_update(double* value, const double* gradient, double* velocity, int64_t count, const SgdStep& step);

}  // namespace frgan
