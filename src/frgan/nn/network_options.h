// Options of the classifiers (nn/networks.h). This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <string>

#include "frgan/core/options.h"

namespace frgan {

// Distribution of the initial directions V and of plain weights (A17).
enum class WeightInit { kXavier, kNormal };

// Downsampling at the end of each block (A2).
enum class Pooling {
  kStride,  // stride 2 in the third convolution
  kMax,     // 2x2 max pooling after the third convolution
};

// Positions of squeeze-and-excitation (A3).
enum class SePosition { kNone, kBlock1, kBlock2, kAfterConv256, kAll };

// Normalization of the network conv-large.
enum class ConvLargeNorm { kWeightNorm, kBatchNorm };

// Zeros around an image before a convolution with kernel k and stride s.
enum class Padding {
  kSymmetric,  // (k - 1) / 2 on each side
  kSame,       // TensorFlow's: as few as the output size ceil(n / s) needs; an odd one is at the right and bottom
  kNone,
};

// What the pixels of an image are converted to before the first layer (nn/input_normalization.h).
enum class InputNormalizationKind { kScale, kStandard, kImage, kZca, kPca };

struct InputNormalizationOptions {
  InputNormalizationKind kind = InputNormalizationKind::kScale;
  double zca_epsilon = 0.1;
  int64_t components = 600;  // of kPca
};
// Declares each field as an option, in the current group.
void describe(OptionSet& options, InputNormalizationOptions& normalization);

// Options of all networks. The help texts in `describe` name the networks that use an option, and the reading of the
// paper that it selects.
struct NetworkOptions {
  std::string network = "table1";
  double width = 1.0;
  Pooling pooling = Pooling::kStride;
  SePosition se_position = SePosition::kBlock2;
  int64_t se_reduction = 16;
  int64_t se_min_hidden = 1;
  bool se_bias = false;
  double slope = 0.2;
  double input_dropout = 0.2;
  double block_dropout = 0.2;
  WeightInit init = WeightInit::kXavier;
  bool train_gain = true;
  bool explicit_fake_class = false;
  ConvLargeNorm conv_large_norm = ConvLargeNorm::kWeightNorm;
  double conv_large_dropout = 0.5;
  int64_t mlp_layers = 2;
  int64_t mlp_units = 512;
  Padding padding = Padding::kSymmetric;
  double norm_epsilon = 1e-5;
  InputNormalizationOptions normalization{};
};
// Declares each field as an option, with its meaning, its range and the reading of the paper that it selects
// (docs/options.md).
void describe(OptionSet& options, NetworkOptions& network);

}  // namespace frgan
