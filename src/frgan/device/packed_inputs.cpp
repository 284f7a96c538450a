#include "frgan/device/packed_inputs.h"

#include <cstring>

#include <ATen/ops/empty.h>

namespace frgan {
namespace {

constexpr int64_t kAlignment = 16;  // bytes

int64_t aligned(int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

void PackedInputs::load(const std::vector<at::Tensor*>& tensors) {
  if (!packs_) return;
  int64_t bytes = 0;
  for (const at::Tensor* tensor : tensors) {
    if (tensor->defined()) bytes += aligned(static_cast<int64_t>(tensor->nbytes()));
  }
  if (bytes == 0) return;
  // Pinned memory: a copy from other memory may wait for the device. LibTorch keeps it until the copy is done.
  const at::Tensor host = at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(device_.is_cuda()));
  int64_t offset = 0;
  for (const at::Tensor* tensor : tensors) {
    if (!tensor->defined()) continue;
    TORCH_CHECK(tensor->is_cpu() && tensor->is_contiguous(), "planned tensors must be contiguous and on the CPU");
    std::memcpy(host.data_ptr<uint8_t>() + offset, tensor->data_ptr(), tensor->nbytes());
    offset += aligned(static_cast<int64_t>(tensor->nbytes()));
  }
  if (!buffer_.defined() || buffer_.numel() != bytes) buffer_ = at::empty({bytes}, host.options().device(device_));
  buffer_.copy_(host, /*non_blocking=*/true);
  offset = 0;
  for (at::Tensor* tensor : tensors) {
    if (!tensor->defined()) continue;
    const auto size = static_cast<int64_t>(tensor->nbytes());
    *tensor = buffer_.narrow(0, offset, size).view(tensor->scalar_type()).view(tensor->sizes());
    offset += aligned(size);
  }
}

}  // namespace frgan
