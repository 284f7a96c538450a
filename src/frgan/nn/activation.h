// Bias, leaky ReLU and dropout fused into one pass over memory, forward and backward. On a CPU, these operations are
// bound by memory bandwidth, not by arithmetic.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

// y = dropout(leaky_relu(x + bias)).
//   x: N x C, or N x C x H x W with channels-last strides; float, double or bfloat16. It is overwritten on a CPU.
//   bias: C elements in the type of the parameters, or undefined for no bias
//   slope: negative slope of leaky ReLU
//   p: dropout zeroes an element with probability p and scales the rest by 1 / (1 - p)
// On a CPU, the mask at memory position i is a function of (key, i) only. The backward pass therefore recomputes the
// mask instead of storing it. Not twice differentiable on a CPU.
at::Tensor bias_leaky_relu_dropout_(const at::Tensor& x, const at::Tensor& bias, double slope, double p, uint64_t key);

// The same function composed of LibTorch operators, for devices without our kernel. It does not overwrite x, and its
// dropout mask for the same key is different.
at::Tensor bias_leaky_relu_dropout_by_operators(const at::Tensor& x, const at::Tensor& bias, double slope, double p,
                                                uint64_t key);

// Gradient with respect to x of y = leaky_relu(x + bias) on a CPU, from the gradient of y and from y. The gradient of
// the bias is added to `bias_grad`, which has the type of the parameters.
at::Tensor bias_leaky_relu_gradient(const at::Tensor& grad, const at::Tensor& y, const at::Tensor& bias_grad,
                                    double slope);

// Dropout only. It does not overwrite x.
at::Tensor dropout(const at::Tensor& x, double p, uint64_t key);

}  // namespace frgan
