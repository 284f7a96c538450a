// The tensors of a network by name, and how saved ones come back into them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace frgan {

using NamedTensors = std::map<std::string, at::Tensor>;
// Several sets of them: by file of a checkpoint, "model", "optimizer", "average".
using TensorFiles = std::map<std::string, NamedTensors>;

// Parameters and buffers under PREFIX + their name; writing into them changes the module.
NamedTensors named_tensors(const torch::nn::Module& module, const std::string& prefix = "");

// Trained numbers of a module and those below it.
int64_t parameter_count(const torch::nn::Module& module);

// Copies `saved` into `target`. Throws an Error, before anything is changed, where a tensor is missing, unknown or of
// another shape: `source` says where the saved ones are from.
void copy_named(const NamedTensors& target, const NamedTensors& saved, const std::string& source);

}  // namespace frgan
