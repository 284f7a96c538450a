// Controls of one forward pass through a network: dropout, initialization, precision and batch statistics.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "frgan/core/precision.h"

namespace frgan {

// Source of the mean and variance in batch normalization.
enum class BatchStatistics {
  kBatch,          // statistics of this batch; running statistics are not updated
  kBatchAndTrack,  // statistics of this batch; running statistics are updated
  kRunning,        // running statistics: the result for an image does not depend on the others
};

struct ForwardPass {
  bool stochastic = false;   // dropout is on
  uint64_t dropout_key = 0;  // key of this pass; each layer derives its own key from it
  bool initialize = false;   // weight-normalized layers set gain and bias from this batch (A31)
  Precision precision = Precision::kFull;
  BatchStatistics statistics = BatchStatistics::kRunning;
  // Number of earlier updates of the running statistics, 0-dim. Their decay is then min(decay, (t + 1) / (t + 10)), so
  // that short runs forget the first values. Undefined: the decay is constant.
  at::Tensor updates = {};
};

// Converts a tensor to the compute type of the pass.
inline at::Tensor cast_for(const ForwardPass& pass, const at::Tensor& tensor) {
  return pass.precision == Precision::kBf16 ? tensor.to(at::kBFloat16) : tensor;
}

}  // namespace frgan
