// The layers of which classifiers are composed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frgan/nn/batch_norm.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/squeeze_excitation.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {

// Dropout of single values. The mask depends on the key of the pass and on `number`, which differs between the dropout
// layers of a network.
class DropoutLayer : public Layer {
 public:
  DropoutLayer(double p, uint64_t number) : p_(p), number_(number) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;

  // The dropout of a pass, to be fused with the layer before. This layer then does nothing.
  Activation fused_with(double slope, const ForwardPass& pass) const;
  void fuse() { fused_ = true; }

 private:
  double p_;
  uint64_t number_;
  bool fused_ = false;
};

// Convolution with weight normalization, bias and leaky ReLU.
class WeightNormConvolution : public WeightNormConv2dImpl, public Layer {
 public:
  WeightNormConvolution(const Options& options, double slope, WeightSource& source)
      : WeightNormConv2dImpl(options, source), slope_(slope) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;

  // Computes the dropout that follows in the same pass over memory.
  void fuse(const std::shared_ptr<DropoutLayer>& dropout);

 private:
  double slope_;
  std::shared_ptr<DropoutLayer> dropout_;
};

// Convolution without bias, batch normalization, leaky ReLU.
class BatchNormConvolution : public torch::nn::Module, public Layer {
 public:
  BatchNormConvolution(int64_t in, int64_t out, int64_t kernel, int64_t padding, double slope, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;

 private:
  at::Tensor weight_;
  BatchNorm norm_{nullptr};
  int64_t padding_;
  double slope_;
};

// Batch normalization and leaky ReLU.
class BatchNormActivation : public BatchNormImpl, public Layer {
 public:
  BatchNormActivation(int64_t units, double slope, double decay, double epsilon)
      : BatchNormImpl(units, decay, epsilon), slope_(slope) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;

 private:
  double slope_;
};

// Feature recalibration (eq. 10 to 12).
class SqueezeExcitationLayer : public SqueezeExcitationImpl, public Layer {
 public:
  using SqueezeExcitationImpl::SqueezeExcitationImpl;
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// 2x2 max pooling with stride 2.
class MaxPooling : public Layer {
 public:
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// Mean over height and width, in the type of the parameters: N x C.
class GlobalMeanPooling : public Layer {
 public:
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// N x C x H x W to N x C H W.
class Flattening : public Layer {
 public:
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// Dense layer with weight normalization, bias and leaky ReLU.
class WeightNormDense : public WeightNormLinearImpl, public Layer {
 public:
  WeightNormDense(int64_t in, int64_t out, double slope, WeightSource& source)
      : WeightNormLinearImpl(in, out, /*initial_std=*/1, /*train_gain=*/true, source), slope_(slope) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;

 private:
  double slope_;
};

// Dense layer to the logits, with weight normalization and bias.
class WeightNormLogits : public WeightNormLinearImpl, public Layer {
 public:
  // With `mean_only`, mean-only batch norm of the logits.
  WeightNormLogits(int64_t in, int64_t out, double initial_std, WeightSource& source, bool mean_only = false)
      : WeightNormLinearImpl(in, out, initial_std, /*train_gain=*/true, source, mean_only) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
};

// Dense layer to the logits, with bias; computed in the type of the parameters.
class DenseLogits : public torch::nn::Module, public Layer {
 public:
  DenseLogits(int64_t in, int64_t out, WeightSource& source);
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;

 private:
  at::Tensor weight_, bias_;
};

}  // namespace frgan
