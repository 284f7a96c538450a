// The consistency loss: the squared error between two passes over the same images (eq. 9).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// The output of a pass that is compared (A9); kProbabilities is the softmax over the K classes.
enum class ConsistencyTarget { kProbabilities, kLogits, kFeatures };

// `logits` is N x K or N x K+1, of which the first K = classes are used; `features` is N x F. The result has one row
// per image.
at::Tensor consistency_target(ConsistencyTarget target, const at::Tensor& logits, const at::Tensor& features,
                              int64_t classes);

// How squared differences are reduced (A10). kMean averages over images and classes. kSumClasses is the literal eq. 9:
// it sums over the D classes and averages over images, so it is D times as large.
enum class MseReduction { kMean, kSumClasses };

// The squared difference of `first` and `second`, both N x D.
at::Tensor consistency_loss(const at::Tensor& first, const at::Tensor& second, MseReduction reduction);

}  // namespace frgan
