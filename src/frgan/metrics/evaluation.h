// Classification error of a network on a set of images.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/core/stop_check.h"
#include "frgan/data/dataset.h"
#include "frgan/metrics/classification.h"
#include "frgan/nn/network.h"

namespace frgan {

// The most probable class of each row of N x K probabilities or logits, on any device.
std::vector<int64_t> most_probable(const at::Tensor& probabilities);

// A view of a contiguous int64 vector on the CPU. It is valid as long as the tensor.
std::span<const int64_t> values_of(const at::Tensor& labels);

// Classifies all images of the set, in batches of limited memory. Throws an Error if a label is unknown (-1), or if
// `stopped`, which is called before each batch, returns true.
//
//   const Classification test = evaluate(*trainer.classifier(), data.test, Precision::kFull);
//   fmt::print("{:.2f} %\n", 100 * test.all.error());
Classification evaluate(const Network& network, const ImageSet& set, Precision precision,
                        const StopCheck& stopped = {});

}  // namespace frgan
