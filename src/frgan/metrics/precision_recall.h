// Improved precision and recall of generated images by their features (Kynkaanniemi et al. 2019): how many look like
// real ones, and how many of the real ones could be met among them.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

struct PrecisionRecall {
  double precision = 0;  // share of generated images within a ball of a real one
  double recall = 0;     // share of real images within a ball of a generated one
};

// N x F features of generated and M x F of real images, of any floating type; distances are computed in float64. The
// ball of an image reaches to its k-th nearest neighbour in its own set (itself not counted), boundary included. Takes
// N M F multiply-adds and memory for a few hundred rows of N or M numbers: give it some ten thousand images of each
// (score_images draws 10,000). Both numbers depend on N, M and k. Throws an Error where a set has no more than k.
PrecisionRecall precision_recall(const at::Tensor& generated, const at::Tensor& real, int64_t k = 3);

}  // namespace frgan
