// Loads the parameters of golden networks into the networks of src/frgan/nn.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <torch/nn/module.h>

#include "frgan/nn/named_tensors.h"
#include "golden_file.h"

namespace frgan {

// The name of a parameter or buffer in the golden files (make_golden.py): "conv1.direction" -> "conv1.v".
inline std::string golden_name(std::string name) {
  const auto replace = [&](std::string_view from, std::string_view to) {
    if (const size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  };
  if (name.starts_with("norm")) {
    replace("norm", "bn");
    return name;
  }
  const std::vector<std::pair<std::string_view, std::string_view>> names{
      {"se_block2", "se"},    {"se_conv7", "se_conv256"}, {"squeeze_weight", "w1"}, {"excite_weight", "w2"},
      {"squeeze_bias", "b1"}, {"excite_bias", "b2"},      {".direction", ".v"},     {".gain", ".g"},
      {".bias", ".b"},        {"_weight", ".w"}};
  for (const auto& [ours, theirs] : names) replace(ours, theirs);
  return name;
}

// Sets every parameter and buffer of a network from `file`. `prefix` is "d." or "g.".
inline void copy_golden(const torch::nn::Module& network, const GoldenFile& file, const std::string& prefix) {
  for (const auto& [name, tensor] : named_tensors(network)) tensor.copy_(file[prefix + golden_name(name)]);
}

}  // namespace frgan
