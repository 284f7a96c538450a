#include "frgan/nn/inference_graph.h"

#include <set>
#include <unordered_map>
#include <utility>

namespace frgan {
namespace {

class Folding {
 public:
  explicit Folding(InferenceGraph graph) : graph_(std::move(graph)) {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const std::string& name : graph_.nodes[i].inputs) users_[name].push_back(i);
    }
    for (const GraphPort& port : graph_.outputs) users_[port.name].push_back(graph_.nodes.size());
    for (GraphTensor& tensor : graph_.tensors) tensors_[tensor.name] = &tensor;
  }

  InferenceGraph result() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].op == "Conv" && graph_.nodes[i].inputs.size() == 2) fold(i);
    }
    std::vector<GraphNode> nodes;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!removed_nodes_.contains(i)) nodes.push_back(std::move(graph_.nodes[i]));
    }
    graph_.nodes = std::move(nodes);
    std::erase_if(graph_.tensors, [&](const GraphTensor& tensor) { return removed_tensors_.contains(tensor.name); });
    return std::move(graph_);
  }

 private:
  // The only user of a value, if it is this operator with a weight of C x 1 x 1; otherwise the number of nodes.
  size_t only_user(const std::string& value, const std::string& op) const {
    const size_t none = graph_.nodes.size();
    const auto found = users_.find(value);
    if (found == users_.end() || found->second.size() != 1 || found->second.front() == none) return none;
    const GraphNode& node = graph_.nodes[found->second.front()];
    if (node.op != op || node.inputs.front() != value || !is_of_channels(node.inputs.back())) return none;
    return found->second.front();
  }

  bool is_of_channels(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end() || users_.at(name).size() != 1) return false;
    const std::vector<int64_t>& shape = found->second->shape;
    return found->second->is_weight && shape.size() == 3 && shape[1] == 1 && shape[2] == 1;
  }

  void fold(size_t convolution) {
    GraphNode& node = graph_.nodes[convolution];
    const size_t none = graph_.nodes.size(), scaling = only_user(node.output, "Mul");
    const size_t shifting = scaling == none ? none : only_user(graph_.nodes[scaling].output, "Add");
    if (shifting == none || users_.at(node.inputs[1]).size() != 1) return;
    const std::string scale = graph_.nodes[scaling].inputs.back(), shift = graph_.nodes[shifting].inputs.back();
    auto& weights = std::get<std::vector<float>>(tensors_.at(node.inputs[1])->values);
    const auto& scales = std::get<std::vector<float>>(tensors_.at(scale)->values);
    const size_t per_channel = weights.size() / scales.size();
    for (size_t i = 0; i < weights.size(); ++i) weights[i] *= scales[i / per_channel];
    tensors_.at(shift)->shape.resize(1);
    node.inputs.push_back(shift);
    node.output = graph_.nodes[shifting].output;
    removed_nodes_.insert({scaling, shifting});
    removed_tensors_.insert(scale);
  }

  InferenceGraph graph_;
  std::unordered_map<std::string, std::vector<size_t>>
      users_;  // of each value; the number of nodes stands for an output
  std::unordered_map<std::string, GraphTensor*> tensors_;
  std::set<size_t> removed_nodes_;
  std::set<std::string> removed_tensors_;
};

}  // namespace

InferenceGraph with_folded_channels(InferenceGraph graph) {
  return Folding(std::move(graph)).result();
}

}  // namespace frgan
