// Scores that tell images of the trained classes from images of other classes.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/metrics/unknown_score.h"
#include "frgan/nn/network.h"

namespace frgan {

// The scores of the outputs for N images of the trained classes and M other images. Higher means known.
//   max-softmax       the largest class probability (Hendrycks & Gimpel 2017)
//   energy            T logsumexp(logits / T) (Liu et al. 2020). For T = 1, the score 1 / (1 + exp(-energy)) is D(x) of
//                     the K+1-class discriminator with the implicit fake class (Salimans et al. 2016), so both have the
//                     same AUROC.
//   feature-distance  the cosine of the features to the nearest mean of a class; only with `class_means`, K x F
std::vector<UnknownScore> unknown_scores(const Classified& known, const Classified& unknown, double temperature,
                                         const at::Tensor& class_means);

// The mean of the normalized features of each class, normalized again: N x F features, N labels -> K x F. The mean of a
// class without images is 0.
at::Tensor class_means(const at::Tensor& features, const at::Tensor& labels, int64_t classes);

// The file of the means in a checkpoint, "class_means.safetensors", and its tensor.
inline constexpr const char* kClassMeans = "class_means";
// Those of a checkpoint; undefined if it has none.
at::Tensor read_class_means(const Checkpoint& checkpoint);

}  // namespace frgan
