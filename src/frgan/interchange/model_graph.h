// What an exported model computes before and after its network. This header includes no LibTorch.
#pragma once

#include <cstdint>

#include "frgan/core/image_shape.h"
#include "frgan/nn/graph_builder.h"

namespace frgan {

// Adds the input `image`: uint8 N x H x W x C of any size, with one (gray) or three (RGB) channels. Adds its resizing
// to the network's image size, by the rule of io/area_resize.h, and the conversion of channels:
//
//   gray to RGB   three equal channels
//   RGB to gray   0.299 R + 0.587 G + 0.114 B
//
// Returns the images in [-1, 1], N x C x S x S.
GraphValue add_image_input(GraphBuilder& graph, const ImageShape& shape);

// Adds the outputs `probabilities`, N x K, and `unknown_score`, N, from N x K or N x K+1 logits. Logit K+1 is that of
// generated images, and not used.
void add_outputs(GraphBuilder& graph, const GraphValue& logits, int64_t classes, double temperature);

}  // namespace frgan
