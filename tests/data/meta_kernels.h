// Kernels that LibTorch 1.13 lacks on the meta device. Meta tensors have shapes but no values, so code that runs on
// them reads no values back from a device.
#pragma once

#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace frgan {

inline at::Tensor meta_index_select(const at::Tensor& self, int64_t dim, const at::Tensor& index) {
  std::vector<int64_t> shape = self.sizes().vec();
  shape[dim] = index.numel();
  return at::empty(shape, self.options());
}

// Registers the missing kernels while this object exists.
class MetaKernels {
 public:
  MetaKernels() : library_(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__) {
    const auto schema = c10::Dispatcher::singleton().findSchemaOrThrow("aten::index_select", "");
    if (!schema.hasKernelForDispatchKey(c10::DispatchKey::Meta)) library_.impl("index_select", &meta_index_select);
  }

 private:
  torch::Library library_;
};

}  // namespace frgan
