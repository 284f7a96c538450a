// Brings the numbers that the host planned for a pass to the device.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Copies tensors from the host to one buffer on the device with a single copy. The buffer, and so the addresses of the
// copies, stay the same as long as the shapes and types do: a step towards recording a pass as a CUDA graph.
//
//   PackedInputs inputs(device);
//   inputs.load({&rows, &labels});   // rows and labels are now on the device
class PackedInputs {
 public:
  // On a CPU, the tensors stay as they are, unless `always`.
  explicit PackedInputs(at::Device device, bool always = false) : device_(device), packs_(always || !device.is_cpu()) {}

  // Replaces each tensor by its copy, which the next call overwrites. Undefined tensors are left out.
  void load(const std::vector<at::Tensor*>& tensors);

 private:
  at::Device device_;
  bool packs_;
  at::Tensor buffer_;  // bytes
};

}  // namespace frgan
