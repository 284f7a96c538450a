// What a checkpoint tells about the quality of its classifier.
#pragma once

#include <ATen/core/Tensor.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/metrics/quality.h"

namespace frgan {

// The basis for these images (uint8 N x S x S x C): class names, calibration and labels of the training, and the
// predictions of the linear classifier on pixels.
QualityBasis quality_basis(const Checkpoint& checkpoint, const at::Tensor& images);

}  // namespace frgan
