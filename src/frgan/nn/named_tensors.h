// The tensors of a network by name, to save and restore them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace frgan {

using NamedTensors = std::map<std::string, at::Tensor>;
// Tensors by file of a checkpoint: "model", "optimizer", "average".
using TensorFiles = std::map<std::string, NamedTensors>;

// All parameters and buffers, keyed by `prefix` + name. They share memory with the module: writing to them changes it.
NamedTensors named_tensors(const torch::nn::Module& module, const std::string& prefix = "");

// Copies that share no memory with `files`.
TensorFiles copies_of(const TensorFiles& files);

// Number of trained values in a module and its submodules.
int64_t parameter_count(const torch::nn::Module& module);

// Copies `saved` into `target`. Throws an Error, before changing anything, if a tensor is missing, unknown or of a
// different shape. The message starts with `source`, the file of the saved tensors.
void copy_named(const NamedTensors& target, const NamedTensors& saved, const std::string& source);

}  // namespace frgan
