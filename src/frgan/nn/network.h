// Interface of the networks that classify images.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "frgan/core/image_shape.h"
#include "frgan/nn/forward_pass.h"
#include "frgan/nn/layer_list.h"

namespace frgan {

// Output of a network, in the type of the parameters.
struct Classified {
  at::Tensor logits;    // N x K, or N x K+1 with the explicit fake class
  at::Tensor features;  // N x F: the input of the last layer, which feature matching compares
};

// A classifier: a list of layers, of which the last gives the logits.
//
//   const NetworkPtr network = create_network({.network = "conv-large"}, ImageShape{32, 3, 10}, seed);
//   const Classified out = network->forward(images, {.stochastic = true, .dropout_key = key});
class Network : public LayerList {
 public:
  // images: N x C x S x S, channels-last, in [-1, 1].
  Classified forward(const at::Tensor& images, const ForwardPass& pass) const;

  const ImageShape& shape() const { return shape_; }
  int64_t feature_size() const;  // F

 protected:
  explicit Network(const ImageShape& shape)
      : LayerList({shape.channels, shape.image_size, shape.image_size}), shape_(shape) {}

 private:
  ImageShape shape_;
};
using NetworkPtr = std::shared_ptr<Network>;

}  // namespace frgan
