// Tensors in safetensors files.
#pragma once

#include <filesystem>

#include "frgan/nn/named_tensors.h"

namespace frgan {

// Copies on the CPU. Throws like read_safetensors.
NamedTensors read_tensors(const std::filesystem::path& path);
// Throws like write_safetensors.
void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors);

}  // namespace frgan
