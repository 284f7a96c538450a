// Controls of one forward pass through a network: dropout, initialization and precision.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "frgan/core/precision.h"

namespace frgan {

struct ForwardPass {
  bool stochastic = false;   // dropout is on
  uint64_t dropout_key = 0;  // key of this pass; each layer derives its own key from it
  bool initialize = false;   // weight-normalized layers set gain and bias from this batch (A31)
  Precision precision = Precision::kFull;
};

// Converts a tensor to the compute type of the pass.
inline at::Tensor cast_for(const ForwardPass& pass, const at::Tensor& tensor) {
  return pass.precision == Precision::kBf16 ? tensor.to(at::kBFloat16) : tensor;
}

}  // namespace frgan
