// Layers with weight normalisation (Salimans & Kingma 2016): W = g V / ||V||, the norm taken per output unit, and its
// data-dependent initialisation.
#pragma once

#include <cstdint>
#include <string>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/nn/forward_pass.h"

namespace frgan {

// How directions and plain weights are drawn (A17).
enum class WeightInit { kXavier, kNormal };

// Draws initial weights; each call has a key of its own, so that weights depend on the place among the calls alone.
class WeightSource {
 public:
  WeightSource(WeightInit init, uint64_t seed, uint64_t network) : init_(init), seed_(seed), network_(network) {}
  // Xavier: uniform in +-sqrt(6 / (fan_in + fan_out)); normal: N(0, 0.05^2).
  at::Tensor draw(at::IntArrayRef shape, int64_t fan_in, int64_t fan_out);

 private:
  WeightInit init_;
  uint64_t seed_;
  uint64_t network_;
  uint64_t layer_ = 0;
};

// What the three kinds share. `direction` is V, `gain` g (one per output unit), `bias` b.
struct WeightNormImpl : torch::nn::Module {
  WeightNormImpl(at::Tensor initial_direction, int64_t output_dimension, double initial_std, bool train_gain);

  // W = g V / ||V||, differentiable, in the type of the parameters.
  at::Tensor weight() const;
  // Sets gain and bias so that op(x, V/||V||) * gain + bias has mean 0 and standard deviation `initial_std` per output
  // unit over this batch (A31). `response` is op(x, V/||V||) with units in dimension 1.
  void initialize_from(const at::Tensor& response);

  at::Tensor direction, gain, bias;

 protected:
  at::Tensor unit_weight() const;
  int64_t output_dimension_;
  double initial_std_;
};

// What follows a convolution while its result is at hand: leaky ReLU, then dropout.
struct Activation {
  double slope = 1;  // at most 1
  double dropout = 0;
  uint64_t dropout_key = 0;
};

// Convolution with bias and activation.
//   x: N x in x H x W -> N x out x H' x W', channels-last
struct WeightNormConv2dImpl : WeightNormImpl {
  struct Options {
    int64_t in, out, kernel = 3, stride = 1, padding = 1;
    double initial_std = 1.0;
    bool train_gain = true;
  };
  WeightNormConv2dImpl(const Options& options, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass, const Activation& activation = {});
  const Options& options() const { return options_; }

 private:
  Options options_;
};
TORCH_MODULE(WeightNormConv2d);

// The 5x5 transposed convolution of stride 2 that doubles height and width, with bias; direction is in x out x 5 x 5.
struct WeightNormDeconv2dImpl : WeightNormImpl {
  WeightNormDeconv2dImpl(int64_t in, int64_t out, double initial_std, bool train_gain, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
};
TORCH_MODULE(WeightNormDeconv2d);

// Dense layer with bias, computed in the type of the parameters: it is the small last layer whose logits go to losses.
struct WeightNormLinearImpl : WeightNormImpl {
  WeightNormLinearImpl(int64_t in, int64_t out, double initial_std, bool train_gain, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
};
TORCH_MODULE(WeightNormLinear);

}  // namespace frgan
