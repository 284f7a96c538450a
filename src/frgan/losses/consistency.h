// The consistency loss: the squared error between two passes over the same images (eq. 9).
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace frgan {

// The output of a pass that is compared (A9): "probabilities" (softmax over the K classes), "logits" or "features".
// `logits` is N x K or N x K+1, of which the first K = classes are used; `features` is N x F.
at::Tensor consistency_target(const std::string& target, const at::Tensor& logits, const at::Tensor& features,
                              int64_t classes);

// The squared difference of `first` and `second`, both N x D. "mean" averages over images and classes. "sum_classes" is
// the literal eq. 9: it sums over classes and averages over images, so it is D times as large (A10).
at::Tensor consistency_loss(const at::Tensor& first, const at::Tensor& second, const std::string& reduction);

}  // namespace frgan
