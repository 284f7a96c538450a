#include "frgan/nn/named_tensors.h"

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

std::string shape_text(at::IntArrayRef sizes) {
  return sizes.empty() ? "scalar" : fmt::format("{}", fmt::join(sizes, "x"));
}

}  // namespace

NamedTensors named_tensors(const torch::nn::Module& module, const std::string& prefix) {
  NamedTensors tensors;
  for (const auto& item : module.named_parameters()) tensors[prefix + item.key()] = item.value().detach();
  for (const auto& item : module.named_buffers()) tensors[prefix + item.key()] = item.value();
  return tensors;
}

TensorFiles copies_of(const TensorFiles& files) {
  TensorFiles copies;
  for (const auto& [file, tensors] : files) {
    for (const auto& [name, tensor] : tensors) copies[file][name] = tensor.clone();
  }
  return copies;
}

int64_t parameter_count(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.requires_grad() ? parameter.numel() : 0;
  return count;
}

void copy_named(const NamedTensors& target, const NamedTensors& saved, const std::string& source) {
  const torch::NoGradGuard no_grad;
  const auto mismatch = [&](const std::string& what) {
    return Error(
        fmt::format("{}: architecture mismatch: {}; the weights need the --network, the --width and the other network "
                    "options that they were trained with",
                    source, what));
  };
  for (const auto& [name, tensor] : target) {
    const auto found = saved.find(name);
    if (found == saved.end()) throw mismatch(fmt::format("tensor '{}' is missing", name));
    if (found->second.sizes() != tensor.sizes()) {
      throw mismatch(fmt::format("tensor '{}' has shape {}, expected {}", name, shape_text(found->second.sizes()),
                                 shape_text(tensor.sizes())));
    }
  }
  for (const auto& [name, tensor] : saved) {
    if (!target.contains(name)) throw mismatch(fmt::format("this network has no tensor '{}'", name));
  }
  for (const auto& [name, tensor] : target) tensor.copy_(saved.at(name));
}

}  // namespace frgan
