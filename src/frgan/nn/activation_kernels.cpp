#include "frgan/nn/activation_kernels.h"

#include <cstring>

#include "frgan/core/vectorised.h"
#include "frgan/device/philox.h"

namespace frgan {
namespace {

inline float load(const uint16_t value) {
  const uint32_t bits = static_cast<uint32_t>(value) << 16;
  float result = 0;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}
inline float load(const float value) {
  return value;
}
inline double load(const double value) {
  return value;
}

inline void store(uint16_t* to, float value) {  // round to nearest even; NaN stays NaN
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  *to = static_cast<uint16_t>(value != value ? 0x7FC0U : rounded);
}
inline void store(float* to, float value) {
  *to = value;
}
inline void store(double* to, double value) {
  *to = value;
}

// x = leaky_relu(x + bias) * scale for `count` elements.
template <class T, class A>
inline __attribute__((always_inline)) void forward_run(T* x, const A* bias, const float* scale, A slope,
                                                       int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const A value = load(x[i]) + bias[i];
    store(x + i, (value > 0 ? value : value * slope) * static_cast<A>(scale[i]));
  }
}

// d(x) from d(y). Where dropout kept the element, y has the sign of the pre-activation.
template <class T, class A>
inline __attribute__((always_inline)) void backward_run(const T* grad, const T* y, const float* scale, A slope, T* out,
                                                        A* bias_grad, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const A value = load(grad[i]) * (load(y[i]) > 0 ? A{1} : slope) * static_cast<A>(scale[i]);
    store(out + i, value);
    bias_grad[i] += value;
  }
}

}  // namespace

FRGAN_VECTORISED void draw_dropout_tile(uint64_t key, uint64_t tile, uint32_t threshold, float kept, float* scale) {
  constexpr int64_t kBlocks = kActivationTile / 8;
  alignas(64) uint32_t words[4][kBlocks];
  alignas(64) uint16_t bits[kActivationTile];
  for (int64_t i = 0; i < kBlocks; ++i) {
    const PhiloxBlock block = philox(key, tile * kBlocks + static_cast<uint64_t>(i));
    words[0][i] = block.words[0];
    words[1][i] = block.words[1];
    words[2][i] = block.words[2];
    words[3][i] = block.words[3];
  }
  std::memcpy(bits, words, sizeof(words));
  for (int64_t i = 0; i < kActivationTile; ++i) scale[i] = bits[i] < threshold ? 0.0F : kept;
}

FRGAN_VECTORISED void activation_forward(uint16_t* x, const float* bias, const float* scale, float slope,
                                         int64_t count) {
  forward_run(x, bias, scale, slope, count);
}
FRGAN_VECTORISED void activation_forward(float* x, const float* bias, const float* scale, float slope, int64_t count) {
  forward_run(x, bias, scale, slope, count);
}
FRGAN_VECTORISED void activation_forward(double* x, const double* bias, const float* scale, double slope,
                                         int64_t count) {
  forward_run(x, bias, scale, slope, count);
}
FRGAN_VECTORISED void activation_backward(const uint16_t* grad, const uint16_t* y, const float* scale, float slope,
                                          uint16_t* out, float* bias_grad, int64_t count) {
  backward_run(grad, y, scale, slope, out, bias_grad, count);
}
FRGAN_VECTORISED void activation_backward(const float* grad, const float* y, const float* scale, float slope,
                                          float* out, float* bias_grad, int64_t count) {
  backward_run(grad, y, scale, slope, out, bias_grad, count);
}
FRGAN_VECTORISED void activation_backward(const double* grad, const double* y, const float* scale, double slope,
                                          double* out, double* bias_grad, int64_t count) {
  backward_run(grad, y, scale, slope, out, bias_grad, count);
}

}  // namespace frgan
