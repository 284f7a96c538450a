#include "frgan/nn/layer_list.h"

#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

using ModulePtr = std::shared_ptr<torch::nn::Module>;

// LibTorch's names of modules have no dots, so each part of the path but the last is a module of its own.
void register_at(torch::nn::Module& parent, const std::string& path, const ModulePtr& module) {
  const size_t dot = path.find('.');
  if (dot == std::string::npos) {
    parent.register_module(path, module);
    return;
  }
  const std::string first = path.substr(0, dot);
  const auto children = parent.named_children();
  const ModulePtr* const found = children.find(first);
  const ModulePtr child =
      found != nullptr ? *found : parent.register_module(first, std::make_shared<torch::nn::Module>());
  register_at(*child, path.substr(dot + 1), module);
}

}  // namespace

GraphValue Layer::add_to(GraphBuilder& /*graph*/, const GraphValue& x) const {
  throw Error(fmt::format("the layer '{}' cannot be exported", describe(x.shape).text));
}

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
  if (const auto module = std::dynamic_pointer_cast<torch::nn::Module>(layer)) register_at(*this, name, module);
  LayerDescription description = layer->describe(output_);
  description.name = name;
  output_ = description.output;
  layers_.push_back(layer);
  descriptions_.push_back(std::move(description));
}

std::vector<at::Tensor> LayerList::outputs(at::Tensor x, const ForwardPass& pass) const {
  std::vector<at::Tensor> found;
  for (const std::shared_ptr<Layer>& layer : layers_) {
    x = layer->forward(x, pass);
    found.push_back(x);
  }
  return found;
}

GraphValue LayerList::add_to(GraphBuilder& graph, GraphValue x) const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    graph.begin_layer(descriptions_[i].name);
    x = layers_[i]->add_to(graph, x);
    TORCH_CHECK(x.shape == descriptions_[i].output, "layer ", descriptions_[i].name, " has another shape in the graph");
  }
  graph.begin_layer("");
  return x;
}

at::Tensor LayerList::run(at::Tensor x, const ForwardPass& pass, size_t first, size_t end) const {
  for (size_t i = first; i < end; ++i) x = layers_[i]->forward(x, pass);
  return x;
}

}  // namespace frgan
