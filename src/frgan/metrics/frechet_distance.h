// Frechet distance between the features of two sets of images (Heusel et al. 2017). With features of an ImageNet
// Inception network it is called FID.
#pragma once

#include <ATen/core/Tensor.h>

namespace frgan {

// N x F and M x F features of any floating-point type -> distance between two normal distributions with the means mu
// and covariances C of the features (C is divided by N - 1):
//   ||mu1 - mu2||^2 + Tr(C1 + C2 - 2 sqrt(C1 C2))
// It is computed in float64 and is at least 0. Tr sqrt(C1 C2) is the sum of the square roots of the eigenvalues of
// sqrt(C1) C2 sqrt(C1). That matrix is symmetric: no complex numbers occur, and nearly singular covariances work.
//
// The distance decreases with N, because the covariances are estimates: compare only distances of equal N and M. Throws
// an Error if a set has no more images than features, because its covariance is then singular.
double frechet_distance(const at::Tensor& first, const at::Tensor& second);

}  // namespace frgan
