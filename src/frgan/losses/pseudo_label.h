// Pseudo-labels: the confident predictions for one view of an image are the labels of another view (FixMatch, Sohn et
// al. 2020, eq. 4).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

struct PseudoLabelLoss {
  at::Tensor loss;       // mean over all images of 1(max p >= threshold) CE(argmax p, strong); 0-dim
  at::Tensor confident;  // share of images whose highest probability reaches the threshold; 0-dim, constant
};

// `weak` and `strong` are the logits of two views of the same images, N x K or N x K+1, of which the first K = classes
// are used. p is the softmax of `weak`, which is a constant: gradients reach `strong` only.
PseudoLabelLoss pseudo_label_loss(const at::Tensor& weak, const at::Tensor& strong, double threshold, int64_t classes);

}  // namespace frgan
