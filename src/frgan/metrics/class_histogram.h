// Which classes a scorer sees in a set of images: what tells that some are never generated.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Images by their most probable class, from N x K probabilities on the CPU: K counts.
std::vector<int64_t> class_histogram(const at::Tensor& probabilities);

// KL(p || q) = sum p log(p / q) in nats of the shares p and q of two histograms of the same K classes; 0 for equal
// shares, infinite where `counts` has a class that `real_counts` lacks.
double histogram_divergence(std::span<const int64_t> counts, std::span<const int64_t> real_counts);

}  // namespace frgan
