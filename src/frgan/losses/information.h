// Terms of information maximization: confident and equal predictions for two views of an image, and balanced classes
// (Krause, Perona & Gomes 2010; Hu et al. 2017).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// Both functions take the log probabilities of two views of the same images, N x K each, and return a 0-dim tensor in
// nats.

// The mean over the images of the cross-entropy between the views, in both directions:
// -mean_j sum_k [p_jk log q_jk + q_jk log p_jk] / 2. For equal views, it is the mean entropy of the predictions.
at::Tensor cross_entropy_of_views(const at::Tensor& log_p, const at::Tensor& log_q);

// The entropy of the mean prediction, from 0 (all images have one class) to log K (equally frequent classes).
at::Tensor entropy_of_mean(const at::Tensor& log_p, const at::Tensor& log_q);

}  // namespace frgan
