// The parameters of one player as views of one buffer: the optimizer, the weight average and an allreduce are then a
// few operations each, whatever the number of layers.
#pragma once

#include <string>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

namespace frgan {

// Moves a module's parameters into one flat buffer, and gives each a gradient that is a view of another. Convolution
// weights keep channels-last strides. The module must outlive nothing: views share the buffers.
class FlatParameters {
 public:
  explicit FlatParameters(const torch::nn::Module& module);

  const at::Tensor& values() const { return values_; }        // 1-D, all parameters
  const at::Tensor& gradients() const { return gradients_; }  // 1-D, in the same order
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  // A view of any 1-D tensor of the buffer's length, shaped as parameter `index`: a moment, an average.
  at::Tensor view_like(const at::Tensor& flat, size_t index) const;
  const std::vector<std::string>& names() const { return names_; }

 private:
  at::Tensor values_, gradients_;
  std::vector<at::Tensor> parameters_;
  std::vector<int64_t> offsets_;
  std::vector<std::string> names_;
};

}  // namespace frgan
