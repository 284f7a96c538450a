#include "frgan/nn/network.h"

#include "frgan/nn/input_normalization.h"

namespace frgan {

Network::Network(const ImageShape& shape, const InputNormalizationOptions& normalization)
    : LayerList({shape.channels, shape.image_size, shape.image_size}), shape_(shape) {
  if (normalization.kind == InputNormalizationKind::kScale) return;
  normalization_ = std::make_shared<InputNormalization>(normalization, shape);
  add("normalization", normalization_);
}

at::Tensor Network::normalized(const at::Tensor& images, const ForwardPass& pass) const {
  return cast_for(pass, normalization_ ? normalization_->forward(images, pass) : images);
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
