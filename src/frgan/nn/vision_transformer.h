// Vision transformer (Dosovitskiy et al. 2021) as in DINOv2 (Oquab et al. 2023): the network "vit-small-14".
#pragma once

#include <cstdint>

#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// Patches of 14 x 14 pixels become tokens of 384 values. A class token and position embeddings are added; 12 blocks of
// attention with 6 heads and feed-forward networks follow. The features are the class token after layer norm; a dense
// layer maps them to K logits. Pixels beyond the last whole patch are not used. The names of the tensors are those of
// timm's vit_small_patch14_dinov2.
class VisionTransformer : public Network {
 public:
  static constexpr int64_t kPatch = 14;  // pixels; also the smallest image

  VisionTransformer(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);
};

// The side n of the square of patches of position embeddings, 1 x (1 + n n) x D; 0 for a tensor of another shape.
int64_t side_of_positions(const at::Tensor& positions);

// Position embeddings (1 x (1 + n n) x D, the first for the class token) for a grid of `side` x `side` patches instead
// of n x n: bicubic interpolation with antialiasing, as in timm.
at::Tensor resampled_positions(const at::Tensor& positions, int64_t side);

}  // namespace frgan
