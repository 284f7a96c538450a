// Class histograms of image sets by a scorer's predictions: they show classes that a generator never produces.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Counts of images by most probable class: N x K probabilities (CPU) -> K counts.
std::vector<int64_t> class_histogram(const at::Tensor& probabilities);

// KL(p || q) = sum p log(p / q) in nats, where p and q are the class shares of `counts` and `real_counts`. Both have K
// classes. The result is 0 for equal shares, and infinite if `counts` has a class that `real_counts` lacks.
double histogram_divergence(std::span<const int64_t> counts, std::span<const int64_t> real_counts);

}  // namespace frgan
