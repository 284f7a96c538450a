#include "frgan/losses/feature_matching.h"

#include <torch/types.h>

namespace frgan {

at::Tensor feature_matching_loss(const at::Tensor& real, const at::Tensor& generated) {
  return (real.mean(0) - generated.mean(0)).abs().mean();
}

}  // namespace frgan
