#include "frgan/nn/layer_list.h"

#include <utility>

namespace frgan {

double LayerList::forward_flop() const {
  double flop = 0;
  for (const LayerDescription& layer : descriptions_) flop += layer.flop;
  return flop;
}

double LayerList::training_flop() const {
  double flop = 0;
  for (const LayerDescription& layer : descriptions_) flop += (layer.has_backward ? 3 : 1) * layer.flop;
  return flop;
}

void LayerList::add(const std::string& name, const std::shared_ptr<Layer>& layer) {
  if (const auto module = std::dynamic_pointer_cast<torch::nn::Module>(layer)) register_module(name, module);
  LayerDescription description = layer->describe(output_);
  description.name = name;
  output_ = description.output;
  layers_.push_back(layer);
  descriptions_.push_back(std::move(description));
}

at::Tensor LayerList::run(at::Tensor x, const ForwardPass& pass, size_t first, size_t end) const {
  for (size_t i = first; i < end; ++i) x = layers_[i]->forward(x, pass);
  return x;
}

}  // namespace frgan
