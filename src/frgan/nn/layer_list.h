// A list of layers: the one description of a network that serves construction, forward pass, FLOP, parameter counts,
// the printed tables and the inference graph.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/nn/forward_pass.h"
#include "frgan/nn/graph_builder.h"
#include "frgan/nn/layer_description.h"

namespace frgan {

// One layer of a network. A layer with parameters also derives from torch::nn::Module.
class Layer {
 public:
  virtual ~Layer() = default;
  virtual at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) = 0;
  // Text, output shape, parameters and FLOP for one input of this shape (without the batch). The name is set by the
  // list.
  virtual LayerDescription describe(const std::vector<int64_t>& input) const = 0;
  // Adds the operators of `forward` to a graph, without dropout and with running statistics; returns their result. All
  // layers of classifiers override this. Throws an Error for others, the layers of generators.
  virtual GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const;
};

// A network that runs its layers in order.
class LayerList : public torch::nn::Module {
 public:
  // The layers in forward order.
  std::vector<LayerDescription> layers() const { return descriptions_; }
  // FLOP of a forward pass for one image or noise vector: 2 x multiply-adds of convolutions, dense layers and
  // attention.
  double forward_flop() const;
  // FLOP of a forward pass and, where it is needed, the backward pass to parameters and input, which counts twice.
  double training_flop() const;

  // The output of each layer, in order.
  std::vector<at::Tensor> outputs(at::Tensor x, const ForwardPass& pass) const;

  // Adds all layers to a graph. Names of weights are paths of modules: "conv1.weight".
  GraphValue add_to(GraphBuilder& graph, GraphValue x) const;

 protected:
  explicit LayerList(std::vector<int64_t> input) : output_(std::move(input)) {}
  // Appends a layer. If it is a module, its tensors get the prefix "NAME.". A name such as "blocks.0" is a path of
  // modules.
  void add(const std::string& name, const std::shared_ptr<Layer>& layer);
  // The output shape of the layers so far, for one input.
  const std::vector<int64_t>& output() const { return output_; }
  // Runs the layers from index `first` to below `end`.
  at::Tensor run(at::Tensor x, const ForwardPass& pass, size_t first, size_t end) const;
  size_t size() const { return layers_.size(); }

 private:
  std::vector<std::shared_ptr<Layer>> layers_;
  std::vector<LayerDescription> descriptions_;
  std::vector<int64_t> output_;
};

}  // namespace frgan
