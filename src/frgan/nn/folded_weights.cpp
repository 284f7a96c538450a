#include "frgan/nn/folded_weights.h"

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/nn/batch_norm.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {
namespace {

std::string joined(const std::string& module, const std::string& name) {
  return module.empty() ? name : module + "." + name;
}

// Finds the tensors of layers, and remembers which ones are used.
class FoldedTensors {
 public:
  FoldedTensors(const NamedTensors& tensors, std::string source) : tensors_(tensors), source_(std::move(source)) {}

  // The tensor with as many values as `like`; undefined if it is optional and missing.
  at::Tensor find(const std::string& name, const at::Tensor& like, bool optional = false) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end() && optional) return {};
    if (found == tensors_.end()) throw Error(fmt::format("{}: tensor {} is missing", source_, name));
    if (found->second.numel() != like.numel()) {
      throw Error(fmt::format("{}: tensor {} has {} values; the network needs {}", source_, name, found->second.numel(),
                              like.numel()));
    }
    used_.insert(name);
    return found->second;
  }

  void check_all_used() const {
    for (const auto& [name, tensor] : tensors_) {
      if (!used_.contains(name)) throw Error(fmt::format("{}: the network has no tensor {}", source_, name));
    }
  }

 private:
  const NamedTensors& tensors_;
  std::string source_;
  std::set<std::string> used_;
};

}  // namespace

void set_folded_weights(const Network& network, const NamedTensors& tensors, const std::string& source) {
  FoldedTensors folded(tensors, source);
  std::vector<std::function<void()>> changes;
  NamedTensors plain = named_tensors(network);
  for (const auto& item : network.named_modules("", /*include_self=*/false)) {
    const std::string& name = item.key();
    if (const auto norm = std::dynamic_pointer_cast<BatchNormImpl>(item.value())) {
      const at::Tensor weight = folded.find(joined(name, "weight"), norm->weight, /*optional=*/true);
      const at::Tensor bias = folded.find(joined(name, "bias"), norm->bias);
      changes.emplace_back([=] { norm->set_folded(weight, bias); });
    } else if (const auto layer = std::dynamic_pointer_cast<WeightNormImpl>(item.value())) {
      const at::Tensor weight = folded.find(joined(name, "weight"), layer->direction);
      const at::Tensor bias = folded.find(joined(name, "bias"), layer->bias);
      changes.emplace_back([=] { layer->set_folded(weight, bias); });
    } else {
      continue;
    }
    for (const auto& [own, tensor] : named_tensors(*item.value())) plain.erase(joined(name, own));
  }
  for (const auto& [name, tensor] : plain) {
    const at::Tensor value = folded.find(name, tensor);
    changes.emplace_back([&tensor = tensor, value] { tensor.copy_(value.view_as(tensor)); });
  }
  folded.check_all_used();
  const torch::NoGradGuard no_grad;
  for (const auto& change : changes) change();
}

}  // namespace frgan
