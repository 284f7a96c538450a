// Random values in every tensor of a network: initial values, such as zero biases, would hide errors.
#pragma once

#include <cstdint>
#include <string>

#include <torch/types.h>

#include "frgan/device/random.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {

inline void fill_with_random_values(const torch::nn::Module& network, uint64_t key = 1) {
  const torch::NoGradGuard no_grad;
  for (const auto& item : named_tensors(network)) {
    const std::string& name = item.first;
    const at::Tensor& tensor = item.second;
    const auto uniform = [&](double low, double high) {
      return random_uniform(tensor.sizes(), low, high, ++key, at::kFloat);
    };
    if (name.ends_with("whitening_matrix")) {
      tensor.add_(uniform(-0.01, 0.01));
    } else if (name.ends_with("running_var")) {
      tensor.copy_(uniform(0.5, 2));
    } else if (name.ends_with("gain") || name.ends_with("gamma") || name.ends_with("scale") ||
               (name.ends_with("weight") && tensor.dim() == 1)) {
      tensor.copy_(uniform(0.5, 1.5));
    } else if (tensor.dim() == 1 || name.ends_with("mean")) {
      tensor.copy_(uniform(-0.3, 0.3));
    }
  }
}

}  // namespace frgan
