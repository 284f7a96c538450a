#include "frgan/nn/flat_parameters.h"

namespace frgan {

FlatParameters::FlatParameters(const torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  int64_t total = 0;
  for (const auto& item : module.named_parameters()) {
    names_.push_back(item.key());
    parameters_.push_back(item.value());
    offsets_.push_back(total);
    total += item.value().numel();
  }
  TORCH_CHECK(!parameters_.empty(), "the module has no parameters");
  values_ = at::zeros({total}, parameters_[0].options().requires_grad(false));
  gradients_ = at::zeros_like(values_);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor view = view_like(values_, i);
    view.copy_(parameters_[i]);
    parameters_[i].set_data(view);
    parameters_[i].mutable_grad() = view_like(gradients_, i);
  }
  std::vector<at::Tensor> buffers = module.buffers();
  std::vector<at::Tensor> flat;
  flat.reserve(buffers.size());
  for (const at::Tensor& buffer : buffers) flat.push_back(buffer.flatten());
  buffers_ = flat.empty() ? values_.new_empty({0}) : at::cat(flat);
  int64_t first = 0;
  for (at::Tensor& buffer : buffers) {
    buffer.set_data(buffers_.narrow(0, first, buffer.numel()).view(buffer.sizes()));
    first += buffer.numel();
  }
}

at::Tensor FlatParameters::view_like(const at::Tensor& flat, size_t index) const {
  const at::Tensor& parameter = parameters_[index];
  const at::Tensor slice = flat.narrow(0, offsets_[index], parameter.numel());
  if (parameter.dim() != 4) return slice.view(parameter.sizes());
  const auto s = parameter.sizes();
  return slice.view({s[0], s[2], s[3], s[1]}).permute({0, 3, 1, 2});
}

}  // namespace frgan
