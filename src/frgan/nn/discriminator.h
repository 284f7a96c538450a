// The discriminator of FR-GAN (Table 1), which is also the classifier: the network "table1".
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "frgan/nn/layers.h"
#include "frgan/nn/network.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// Number of hidden units of a squeeze-and-excitation block on `channels` channels: max(se_min_hidden, C / r).
int64_t squeeze_units(const NetworkOptions& options, int64_t channels);

// Table 1 with the readings of docs/paper.md. By default, the layers are:
// - block 1: three 3x3 convolutions to 64 channels, the third with stride 2;
// - block 2: the same with 128 channels, followed by squeeze-and-excitation;
// - a 3x3 convolution to 256 channels without padding, and two 1x1 convolutions to 128 channels;
// - the global mean, and a dense layer to K logits.
//
//   const Discriminator network(NetworkOptions{}, ImageShape{32, 3, 10}, seed);
//   Classified out = network.forward(images, {.stochastic = true, .dropout_key = key});
class Discriminator : public Network {
 public:
  Discriminator(const NetworkOptions& options, const ImageShape& shape, uint64_t seed);

  // conv1 to conv7, nin1, nin2.
  const std::vector<std::shared_ptr<WeightNormConvolution>>& convolutions() const { return convolutions_; }

 private:
  void add_convolution(const std::string& name, WeightNormConv2dImpl::Options layer);
  // Each dropout has the number of the convolution before it, from 0; that of the image has 100.
  void add_dropout(const std::string& name, double p, uint64_t number);

  NetworkOptions options_;
  WeightSource source_;
  std::vector<std::shared_ptr<WeightNormConvolution>> convolutions_;
  bool ends_with_convolution_ = false;  // the layers so far
};

}  // namespace frgan
