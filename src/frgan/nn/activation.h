// Bias, leaky ReLU and dropout in one pass over memory, forward and backward: on a CPU these passes, not the
// arithmetic, are what a step would wait for between its convolutions.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

// y = dropout(leaky_relu(x + bias)): x is N x C or N x C x H x W with channels-last strides (float, double or bfloat16)
// and is overwritten on a CPU; bias has C elements in the type of the parameters and may be undefined (no bias).
// Dropout zeroes an element with probability p and scales the rest by 1 / (1 - p); whether position i of memory is
// zeroed is a function of (key, i) alone, so the backward pass draws the same mask again instead of keeping it.
at::Tensor bias_leaky_relu_dropout_(const at::Tensor& x, const at::Tensor& bias, double slope, double p, uint64_t key);

// The same out of LibTorch's operators, for devices that have no kernel of ours; x is not overwritten. Another mask.
at::Tensor bias_leaky_relu_dropout_by_operators(const at::Tensor& x, const at::Tensor& bias, double slope, double p,
                                                uint64_t key);

// d(x) of y = leaky_relu(x + bias) on a CPU, from d(y) and y; d(bias) is added to `bias_grad`, in the type of the
// parameters.
at::Tensor bias_leaky_relu_gradient(const at::Tensor& grad, const at::Tensor& y, const at::Tensor& bias_grad,
                                    double slope);

// Dropout alone; x is not overwritten.
at::Tensor dropout(const at::Tensor& x, double p, uint64_t key);

}  // namespace frgan
