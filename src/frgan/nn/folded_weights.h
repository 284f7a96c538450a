// The weights of an inference graph (nn/inference_graph.h) in a network: weight norm and batch norm are folded.
#pragma once

#include <string>

#include "frgan/nn/named_tensors.h"
#include "frgan/nn/network.h"

namespace frgan {

// Sets all tensors of a network, so that it computes what the graph computed from whose weights `tensors` are, apart
// from rounding. Throws an Error, before changing anything, if a tensor is missing, unknown or of another size. The
// message starts with `source`, the file of the tensors.
void set_folded_weights(const Network& network, const NamedTensors& tensors, const std::string& source);

}  // namespace frgan
