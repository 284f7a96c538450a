// The ONNX format: a graph of operators with its weights, as protobuf (https://onnx.ai). This header includes no
// LibTorch.
#pragma once

#include <map>
#include <string>

#include "frgan/nn/inference_graph.h"

namespace frgan {

// The bytes of an ONNX file: IR version 8, operator set 13. `metadata` becomes metadata_props. Throws an Error if the
// file would be larger than 2 GB, the limit of protobuf.
std::string onnx_bytes(const InferenceGraph& graph, const std::string& name,
                       const std::map<std::string, std::string>& metadata);

}  // namespace frgan
