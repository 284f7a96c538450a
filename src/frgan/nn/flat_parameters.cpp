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
  std::vector<at::Tensor> others;
  int64_t trained_size = 0, others_size = 0;
  const auto add_other = [&](const std::string& name, const at::Tensor& tensor) {
    others.push_back(tensor);
    others_.push_back({name, others_size, tensor.numel()});
    others_size += tensor.numel();
  };
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) {
      add_other(item.key(), item.value());
      continue;
    }
    parameters_.push_back(item.value());
    trained_.push_back({item.key(), trained_size, item.value().numel()});
    trained_size += item.value().numel();
  }
  for (const auto& item : module.named_buffers()) add_other(item.key(), item.value());
  TORCH_CHECK(!parameters_.empty(), "the module has no parameters");
  values_ = at::zeros({trained_size}, parameters_[0].options().requires_grad(false));
  gradients_ = at::zeros_like(values_);
  buffers_ = at::empty({others_size}, values_.options());
  const auto move = [](at::Tensor& tensor, const at::Tensor& view) {
    view.copy_(tensor);
    tensor.set_data(view);
  };
  for (size_t i = 0; i < parameters_.size(); ++i) {
    move(parameters_[i], view_like(values_, i));
    parameters_[i].mutable_grad() = view_like(gradients_, i);
  }
  for (size_t i = 0; i < others.size(); ++i) move(others[i], shaped_view(buffers_, others_[i].offset, others[i]));
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
