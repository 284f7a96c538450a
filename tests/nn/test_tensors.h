#pragma once

#include <ATen/ATen.h>

#include "frgan/device/random.h"

namespace frgan {

// Uniform in [-1, 1]; the same values for the same key in every type.
inline at::Tensor random_tensor(at::IntArrayRef shape, uint64_t key, at::ScalarType type = at::kFloat) {
  return random_uniform(shape, -1, 1, key, at::kDouble).to(type);
}

inline at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace frgan
