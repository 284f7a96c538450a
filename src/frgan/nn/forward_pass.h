// How one pass through a network is run.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

// What convolutions compute in. Weights, losses and everything that is small stay in the type of the parameters.
enum class Precision { kFull, kBf16 };

struct ForwardPass {
  bool stochastic = false;   // dropout is on
  uint64_t dropout_key = 0;  // of this pass; each layer mixes in its own number
  bool initialize = false;   // weight-normalised layers set gain and bias from this batch (A31)
  Precision precision = Precision::kFull;
};

// The tensor as a convolution or large dense layer takes it.
inline at::Tensor cast_for(const ForwardPass& pass, const at::Tensor& tensor) {
  return pass.precision == Precision::kBf16 ? tensor.to(at::kBFloat16) : tensor;
}

}  // namespace frgan
