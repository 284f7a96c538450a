#include "frgan/nn/network.h"

#include "frgan/nn/input_normalization.h"

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
  const at::Tensor features = run(normalized(images, pass), pass, first_layer(), size() - 1);
  return {run(features, pass, size() - 1, size()), features};
}

int64_t Network::feature_size() const {
  const std::vector<LayerDescription> all = layers();
  return all[all.size() - 2].output.front();
}

}  // namespace frgan
