// Layers with weight normalization (Salimans & Kingma 2016) and its data-dependent initialization: W = g V / ||V||,
// with one norm per output unit.
#pragma once

#include <cstdint>
#include <string>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/nn/forward_pass.h"
#include "frgan/nn/graph_builder.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// Draws initial weights. Each call has its own random key, so the weights depend on the seed, the network and the
// number of previous calls only.
class WeightSource {
 public:
  WeightSource(WeightInit init, uint64_t seed, uint64_t network) : init_(init), seed_(seed), network_(network) {}
  // A float tensor. Xavier: uniform in +-sqrt(6 / (fan_in + fan_out)); normal: N(0, 0.05^2).
  at::Tensor draw(at::IntArrayRef shape, int64_t fan_in, int64_t fan_out);
  // Normal with variance 2 / fan, whatever the distribution of `draw` (He et al. 2015).
  at::Tensor draw_he(at::IntArrayRef shape, int64_t fan);

 private:
  WeightInit init_;
  uint64_t seed_;
  uint64_t network_;
  uint64_t layer_ = 0;
};

// Base of the three layer types. `direction` is V, `gain` is g, and `bias` is b. Gain and bias have one value per
// output unit. With `mean_only`, the mean of each output unit over the batch is subtracted (mean-only batch norm,
// Salimans & Kingma 2016).
struct WeightNormImpl : torch::nn::Module {
  WeightNormImpl(at::Tensor initial_direction, int64_t output_dimension, double initial_std, bool train_gain,
                 bool mean_only = false);

  // W = g V / ||V||, differentiable, in the type of the parameters.
  at::Tensor weight() const;
  // Sets gain and bias so that op(x, V/||V||) * gain + bias has mean 0 and standard deviation `initial_std` over this
  // batch, for each output unit (A31). `response` is op(x, V/||V||), with the output units in dimension 1.
  void initialize_from(const at::Tensor& response);
  // Adds the tensors "weight" and "bias" of the layer to a graph: W, and b less the running mean.
  struct FoldedNames {
    std::string weight, bias;
  };
  FoldedNames add_folded(GraphBuilder& graph) const;
  // Makes the layer compute op(x, W) + b with these tensors.
  void set_folded(const at::Tensor& weight, const at::Tensor& shift);

  at::Tensor direction, gain, bias;
  at::Tensor running_mean;  // defined with `mean_only`

 protected:
  at::Tensor unit_weight() const;
  // What is added to the responses op(x, W): the bias, less the mean with `mean_only`.
  at::Tensor shift(const at::Tensor& response, const ForwardPass& pass) const;
  int64_t output_dimension_;
  double initial_std_;
};

// The operations fused with a convolution: leaky ReLU, then dropout.
struct Activation {
  double slope = 1;    // negative slope of leaky ReLU, in (0, 1]; 1 is the identity
  double dropout = 0;  // probability; 0 is none
  uint64_t dropout_key = 0;
};

// Convolution with bias and activation.
//   x: N x in x H x W; result: N x out x H' x W'; both channels-last
struct WeightNormConv2dImpl : WeightNormImpl {
  struct Options {
    int64_t in, out, kernel = 3, stride = 1, padding = 1;
    double initial_std = 1.0;
    bool train_gain = true;
    bool mean_only = false;
  };
  WeightNormConv2dImpl(const Options& options, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass, const Activation& activation = {});
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const;  // without activation
  const Options& options() const { return options_; }

 private:
  Options options_;
};
TORCH_MODULE(WeightNormConv2d);

// 5x5 transposed convolution with stride 2 and bias. It doubles height and width. `direction` is in x out x 5 x 5.
struct WeightNormDeconv2dImpl : WeightNormImpl {
  WeightNormDeconv2dImpl(int64_t in, int64_t out, double initial_std, bool train_gain, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
};
TORCH_MODULE(WeightNormDeconv2d);

// Dense layer with bias. It is always computed in the type of the parameters: it is small, and its logits enter the
// losses.
struct WeightNormLinearImpl : WeightNormImpl {
  WeightNormLinearImpl(int64_t in, int64_t out, double initial_std, bool train_gain, WeightSource& source,
                       bool mean_only = false);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass);
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const;
};
TORCH_MODULE(WeightNormLinear);

}  // namespace frgan
