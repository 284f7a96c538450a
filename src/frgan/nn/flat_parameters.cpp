#include "frgan/nn/flat_parameters.h"

namespace frgan {
namespace {

// `tensor.numel()` values of a flat tensor, with the shape of the tensor. Weights of convolutions are channels-last.
at::Tensor shaped_view(const at::Tensor& flat, int64_t offset, const at::Tensor& tensor) {
  const at::Tensor slice = flat.narrow(0, offset, tensor.numel());
  if (tensor.dim() != 4) return slice.view(tensor.sizes());
  const auto s = tensor.sizes();
  return slice.view({s[0], s[2], s[3], s[1]}).permute({0, 3, 1, 2});
}

}  // namespace

FlatParameters::FlatParameters(const torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  std::vector<std::pair<std::string, at::Tensor>> trained, frozen, buffers;
  for (const auto& item : module.named_parameters()) {
    (item.value().requires_grad() ? trained : frozen).emplace_back(item.key(), item.value());
  }
  for (const auto& item : module.named_buffers()) buffers.emplace_back(item.key(), item.value());
  TORCH_CHECK(!trained.empty(), "the module has no parameters");
  const at::TensorOptions options = trained.front().second.options().requires_grad(false);
  for (const auto& [name, tensor] : trained) parameters_.push_back(tensor);
  values_ = moved(std::move(trained), trained_, options);
  buffers_ = moved(std::move(buffers), buffer_places_, options);
  frozen_ = moved(std::move(frozen), frozen_places_, options);
  gradients_ = at::zeros_like(values_);
  for (size_t i = 0; i < parameters_.size(); ++i) parameters_[i].mutable_grad() = view_like(gradients_, i);
}

at::Tensor FlatParameters::moved(std::vector<std::pair<std::string, at::Tensor>> tensors, std::vector<Place>& places,
                                 const at::TensorOptions& options) {
  int64_t size = 0;
  for (const auto& [name, tensor] : tensors) {
    places.push_back({name, size, tensor.numel()});
    size += tensor.numel();
  }
  const at::Tensor flat = at::zeros({size}, options);
  for (size_t i = 0; i < tensors.size(); ++i) {
    at::Tensor& tensor = tensors[i].second;
    const at::Tensor view = shaped_view(flat, places[i].offset, tensor);
    view.copy_(tensor);
    tensor.set_data(view);
  }
  return flat;
}

at::Tensor FlatParameters::view_like(const at::Tensor& flat, size_t index) const {
  return shaped_view(flat, trained_[index].offset, parameters_[index]);
}

at::Tensor FlatParameters::part(const at::Tensor& flat, const std::vector<Place>& places, const std::string& prefix) {
  if (prefix.empty()) return flat;
  int64_t first = 0, size = 0;
  for (const Place& place : places) {
    if (!place.name.starts_with(prefix)) continue;
    if (size == 0) first = place.offset;
    TORCH_CHECK(place.offset == first + size, "the tensors of ", prefix, " are not adjacent");
    size += place.size;
  }
  return flat.narrow(0, first, size);
}

}  // namespace frgan
