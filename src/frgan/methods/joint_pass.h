// Several batches in one pass through a network.
#pragma once

#include <cstddef>
#include <vector>

#include <torch/types.h>

#include "frgan/nn/network.h"

namespace frgan {

// Without batch statistics, the result is the same as in separate passes, in less time. With them, the batches share
// their statistics: a method must want this.
//
//   JointPass pass;
//   const size_t labeled = pass.add(images), other = pass.add(more_images);
//   pass.run(network, forward_pass);
//   const Classified out = pass.rows(labeled);
class JointPass {
 public:
  // Returns the index to pass to `rows` for the results of this batch.
  size_t add(const at::Tensor& images) {
    parts_.push_back(images);
    return parts_.size() - 1;
  }
  void run(const Network& network, const ForwardPass& pass) { all_ = network.forward(at::cat(parts_), pass); }
  Classified rows(size_t part) const {
    int64_t first = 0;
    for (size_t i = 0; i < part; ++i) first += parts_[i].size(0);
    const int64_t count = parts_[part].size(0);
    return {all_.logits.narrow(0, first, count), all_.features.narrow(0, first, count)};
  }

 private:
  std::vector<at::Tensor> parts_;
  Classified all_;
};

}  // namespace frgan
