// Frechet distance of two sets of images by their features (Heusel et al. 2017: "FID" where an ImageNet Inception
// makes the features).
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// N x F and M x F features of any floating type -> the distance of the two normal distributions that have their means
// and covariances (divided by N - 1), in float64:
//   ||mu1 - mu2||^2 + Tr(C1 + C2 - 2 sqrt(C1 C2))
// Tr sqrt(C1 C2) is the sum of the roots of the eigenvalues of sqrt(C1) C2 sqrt(C1), which is symmetric: no complex
// numbers, and nothing breaks where a covariance is nearly singular. Never below 0.
//
// It falls as N grows (the covariances are estimates): compare only distances of equal N and M. Throws an Error where a
// set has no more images than features, for then its covariance is singular for want of images.
double frechet_distance(const at::Tensor& first, const at::Tensor& second);

}  // namespace frgan
