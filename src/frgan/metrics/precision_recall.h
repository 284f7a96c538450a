// Improved precision and recall of generated images, from features (Kynkaanniemi et al. 2019). Precision measures how
// many generated images look real, recall how much of the variety of real images is generated.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

struct PrecisionRecall {
  double precision = 0;  // fraction of generated images that lie in the ball of a real image
  double recall = 0;     // fraction of real images that lie in the ball of a generated image
};

// N x F features of generated and M x F of real images, of any floating-point type. Distances are computed in float64.
// The ball of an image reaches to its k-th nearest neighbor in its own set, itself not counted, boundary included.
// Cost: (N + M)^2 F multiply-adds, and memory for a few hundred rows of N or M distances. Use about ten thousand images
// per set, as score_images does. Both results depend on N, M and k. Throws an Error if a set has at most k images.
PrecisionRecall precision_recall(const at::Tensor& generated, const at::Tensor& real, int64_t k = 3);

}  // namespace frgan
