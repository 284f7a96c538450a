#include "frgan/nn/network.h"

namespace frgan {

Classified Network::forward(const at::Tensor& images, const ForwardPass& pass) const {
  const at::Tensor features = run(cast_for(pass, images), pass, 0, size() - 1);
  return {run(features, pass, size() - 1, size()), features};
}

int64_t Network::feature_size() const {
  const std::vector<LayerDescription> all = layers();
  return all[all.size() - 2].output.front();
}

}  // namespace frgan
