// A network as a list of its layers, for people: what Table 1 of the paper is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace frgan {

struct LayerDescription {
  std::string name;             // of its parameters: "conv3", "se_block2"; or "dropout1", "pool"
  std::string text;             // "3x3 convolution to 64, stride 2, weight norm, leaky ReLU 0.2"
  std::vector<int64_t> output;  // for one image or noise vector: {64, 16, 16}
  int64_t parameters = 0;
};

}  // namespace frgan
