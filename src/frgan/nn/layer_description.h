// Description of a layer for people and tables. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace frgan {

struct LayerDescription {
  std::string name;             // of its module: "conv3", "se_block2"; without a module: "dropout1", "pool"
  std::string text;             // "3x3 convolution to 64, stride 2, weight norm, leaky ReLU 0.2"
  std::vector<int64_t> output;  // shape for one image or noise vector: {64, 16, 16}
  int64_t parameters = 0;       // number of trained values
  double flop = 0;              // of a forward pass for one input: 2 x multiply-adds
  bool has_backward = true;     // false: nothing behind it is trained, so training needs no backward pass
};

}  // namespace frgan
