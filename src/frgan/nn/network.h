// Interface of the networks that classify images.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "frgan/core/image_shape.h"
#include "frgan/nn/forward_pass.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/network_options.h"

namespace frgan {

class InputNormalization;

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
  // images: N x C x S x S, channels-last, in [-1, 1]; or N x F, the features of images from an earlier pass. Features
  // only pass the last layer.
  Classified forward(const at::Tensor& images, const ForwardPass& pass) const;

  const ImageShape& shape() const { return shape_; }
  int64_t feature_size() const;  // F

 protected:
  // The first layer is the normalization of the input, if it is more than scaling. With `full_precision`, the layers
  // receive images in the type of the parameters, also in a bf16 pass.
  Network(const ImageShape& shape, const InputNormalizationOptions& normalization, bool full_precision = false);
  // The images as the layer after the normalization receives them, in the compute type of the pass.
  at::Tensor normalized(const at::Tensor& images, const ForwardPass& pass) const;
  // The index of the first layer after the normalization.
  size_t first_layer() const { return normalization_ ? 1 : 0; }

 private:
  ImageShape shape_;
  bool full_precision_;
  std::shared_ptr<InputNormalization> normalization_;  // null if images are only scaled
};
using NetworkPtr = std::shared_ptr<Network>;

// Excludes all parameters but those of the last layer from training.
void freeze_all_but_last_layer(Network& network);
// Makes the last layer compute W x + b, with W K x F and b K. A logit of the fake class keeps its weights.
void set_last_layer(const Network& network, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace frgan
