// The unsupervised mean squared error between two passes of the same images (eq. 9).
#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace frgan {

// What of a pass is compared (A9): "probabilities" the softmax over K classes, "logits", or "features".
at::Tensor consistency_target(const std::string& target, const at::Tensor& logits, const at::Tensor& features,
                              int64_t classes);

// Mean over images and classes ("mean"), or the literal eq. 9, summed over classes and averaged over images
// ("sum_classes"): weight w there is 10 w here (A10). Both N x D.
at::Tensor consistency_loss(const at::Tensor& first, const at::Tensor& second, const std::string& reduction);

}  // namespace frgan
