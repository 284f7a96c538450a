// The parameters of one player as views of one tensor, and its buffers (batch statistics) as views of another. The
// optimizer, the weight average and an allreduce then take a few operations each, independent of the number of layers.
#pragma once

#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace frgan {

// Moves the parameters of a module into one flat tensor, their gradients into a second one, and its buffers into a
// third. Convolution weights keep channels-last strides. The views share ownership of these tensors, so the module and
// this object may be destroyed in any order.
class FlatParameters {
 public:
  explicit FlatParameters(const torch::nn::Module& module);

  const at::Tensor& values() const { return values_; }        // 1-D, all parameters
  const at::Tensor& gradients() const { return gradients_; }  // 1-D, in the same order
  const at::Tensor& buffers() const { return buffers_; }      // 1-D, all buffers; empty if there are none
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  // A view of `flat`, a 1-D tensor of the buffer's length (a moment, an average), with the shape and strides of
  // parameter `index`.
  at::Tensor view_like(const at::Tensor& flat, size_t index) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  at::Tensor values_, gradients_, buffers_;
  std::vector<at::Tensor> parameters_;
  std::vector<int64_t> offsets_;
  std::vector<std::string> names_;
};

}  // namespace frgan
