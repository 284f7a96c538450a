#include "frgan/classifier/tensors_file.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <vector>

#include <torch/types.h>

#include "frgan/io/safetensors.h"

namespace frgan {
namespace {

const std::map<at::ScalarType, DType>& dtypes() {
  static const std::map<at::ScalarType, DType> table{
      {at::kDouble, DType::kF64}, {at::kFloat, DType::kF32}, {at::kBFloat16, DType::kBF16}, {at::kHalf, DType::kF16},
      {at::kLong, DType::kI64},   {at::kInt, DType::kI32},   {at::kByte, DType::kU8},       {at::kBool, DType::kBool}};
  return table;
}

}  // namespace

void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  std::vector<at::Tensor> kept;  // row-major copies that own the memory of the views
  TensorViews views;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.to(at::kCPU).contiguous());
    const at::Tensor& whole = kept.back();
    views[name] = {dtypes().at(whole.scalar_type()), whole.sizes().vec(),
                   std::span(static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes())};
  }
  write_safetensors(path, views, {{"format", "pt"}});
}

NamedTensors read_tensors(const std::filesystem::path& path) {
  const SafetensorsFile file = read_safetensors(path);
  NamedTensors tensors;
  for (const auto& [name, view] : file.tensors()) {
    const auto dtype = std::find_if(dtypes().begin(), dtypes().end(),
                                    [&view = view](const auto& pair) { return pair.second == view.dtype; });
    const at::Tensor tensor = at::empty(view.shape, at::TensorOptions().dtype(dtype->first));
    std::ranges::copy(view.bytes, static_cast<std::byte*>(tensor.data_ptr()));  // also if there are none
    tensors[name] = tensor;
  }
  return tensors;
}

}  // namespace frgan
