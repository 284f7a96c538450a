#include "frgan/nn/network.h"

#include "frgan/nn/input_normalization.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {

Network::Network(const ImageShape& shape, const InputNormalizationOptions& normalization, bool full_precision)
    : LayerList({shape.channels, shape.image_size, shape.image_size}), shape_(shape), full_precision_(full_precision) {
  if (normalization.kind == InputNormalizationKind::kScale) return;
  normalization_ = std::make_shared<InputNormalization>(normalization, shape);
  add("normalization", normalization_);
}

at::Tensor Network::normalized(const at::Tensor& images, const ForwardPass& pass) const {
  const at::Tensor input = normalization_ ? normalization_->forward(images, pass) : images;
  return full_precision_ ? input : cast_for(pass, input);
}

Classified Network::forward(const at::Tensor& images, const ForwardPass& pass) const {
  const bool has_features = images.dim() == 2;
  const at::Tensor features = has_features ? images : run(normalized(images, pass), pass, first_layer(), size() - 1);
  return {run(features, pass, size() - 1, size()), features};
}

void freeze_all_but_last_layer(Network& network) {
  const std::string last = network.layers().back().name + ".";
  for (auto& item : network.named_parameters()) {
    if (!item.key().starts_with(last)) item.value().set_requires_grad(false);
  }
}

void set_last_layer(const Network& network, const at::Tensor& weight, const at::Tensor& bias) {
  const torch::NoGradGuard no_grad;
  const std::string last = network.layers().back().name + ".";
  const NamedTensors tensors = named_tensors(network);
  const auto set = [&](const char* name, const at::Tensor& value) {
    const auto found = tensors.find(last + name);
    if (found == tensors.end()) return false;
    found->second.narrow(0, 0, value.size(0)).copy_(value);
    return true;
  };
  set("bias", bias);
  if (set("weight", weight)) return;
  // Weight norm: W = gain * direction / ||direction||.
  set("direction", weight);
  set("gain", weight.norm(2, 1));
  set("running_mean", at::zeros_like(bias));
}

int64_t Network::feature_size() const {
  const std::vector<LayerDescription> all = layers();
  return all[all.size() - 2].output.front();
}

}  // namespace frgan
