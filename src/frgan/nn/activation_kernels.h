// The inner loops of nn/activation.h, called for one tile at a time. bfloat16 values are passed as their bits
// (uint16_t).
#pragma once

#include <cstdint>

namespace frgan {

constexpr int64_t kActivationTile = 1024;  // elements; the dropout mask of a tile depends on (key, tile) only

// Fills scale[0..kActivationTile): 0 where 16 random bits are less than `threshold` (p * 65536), else `kept`.
void draw_dropout_tile(uint64_t key, uint64_t tile, uint32_t threshold, float kept, float* scale);

// x = leaky_relu(x + bias) * scale, element by element.
void activation_forward(uint16_t* x, const float* bias, const float* scale, float slope, int64_t count);
void activation_forward(float* x, const float* bias, const float* scale, float slope, int64_t count);
void activation_forward(double* x, const double* bias, const float* scale, double slope, int64_t count);

// From grad = d(y) and y: out = d(x), and bias_grad += d(x).
void activation_backward(const uint16_t* grad, const uint16_t* y, const float* scale, float slope, uint16_t* out,
                         float* bias_grad, int64_t count);
void activation_backward(const float* grad, const float* y, const float* scale, float slope, float* out,
                         float* bias_grad, int64_t count);
void activation_backward(const double* grad, const double* y, const float* scale, double slope, double* out,
                         double* bias_grad, int64_t count);

}  // namespace frgan
