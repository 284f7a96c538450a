// The parameters of one player as views of one tensor, and its buffers (batch statistics) as views of another. The
// optimizer, the weight average and an allreduce then take a few operations each, independent of the number of layers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace frgan {

// Moves the parameters of a module into one flat tensor, and their gradients into a second one. Buffers and frozen
// parameters (requires_grad is false) have a flat tensor each. Convolution weights keep channels-last
// strides. The views share ownership of these tensors, so the module and this object may be destroyed in any order.
class FlatParameters {
 public:
  explicit FlatParameters(const torch::nn::Module& module);

  const at::Tensor& values() const { return values_; }        // 1-D, all parameters
  const at::Tensor& gradients() const { return gradients_; }  // 1-D, in the same order
  const at::Tensor& buffers() const { return buffers_; }      // 1-D, all buffers; empty if there are none
  const at::Tensor& frozen() const { return frozen_; }        // 1-D, all frozen parameters; empty if there are none
  // The values, the buffers or the frozen parameters of the tensors whose names begin with `prefix`: a view. They must
  // be adjacent.
  at::Tensor part_of_values(const std::string& prefix) const { return part(values_, trained_, prefix); }
  at::Tensor part_of_buffers(const std::string& prefix) const { return part(buffers_, buffer_places_, prefix); }
  at::Tensor part_of_frozen(const std::string& prefix) const { return part(frozen_, frozen_places_, prefix); }
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  // A view of `flat`, a 1-D tensor of the buffer's length (a moment, an average), with the shape and strides of
  // parameter `index`.
  at::Tensor view_like(const at::Tensor& flat, size_t index) const;
  // The name of parameter `index`.
  const std::string& name(size_t index) const { return trained_[index].name; }

 private:
  // Where a tensor is in a flat one.
  struct Place {
    std::string name;
    int64_t offset, size;
  };
  static at::Tensor part(const at::Tensor& flat, const std::vector<Place>& places, const std::string& prefix);

  // Moves tensors into a new flat one.
  static at::Tensor moved(std::vector<std::pair<std::string, at::Tensor>> tensors, std::vector<Place>& places,
                          const at::TensorOptions& options);

  at::Tensor values_, gradients_, buffers_, frozen_;
  std::vector<at::Tensor> parameters_;
  std::vector<Place> trained_, buffer_places_, frozen_places_;
};

}  // namespace frgan
