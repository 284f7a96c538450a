// The result of metrics/unknown_classes.h. This header includes no LibTorch.
#pragma once

#include <string>

namespace frgan {

// How well a score separates images of the trained classes from others.
struct UnknownScore {
  std::string name;  // "max-softmax", "energy", "feature-distance"
  double auroc = 0;  // probability that an image of a trained class has the higher score; NaN without images
};

}  // namespace frgan
