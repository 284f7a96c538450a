// Normalization of the images that enter a network, as its first layer: its statistics are tensors of the network and
// are stored with the weights.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/image_shape.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/network_options.h"

namespace frgan {

// The largest image of ZCA and PCA whitening, in values: 36 x 36 pixels with 3 channels, 64 x 64 with 1. The matrix has
// the square of this number of values.
inline constexpr int64_t kMostWhitenedValues = 4096;

// Normalizes images in [-1, 1], N x C x S x S:
//
//   standard   (x - mean) / deviation, for each channel, over all training images
//   image      the same with the mean and the deviation of the image itself, over all its values
//   zca        W (x - mean) with the mean of each value, and W = (Cov / v + epsilon I)^(-1/2) / sqrt(v) with the mean
//              variance v: the values are then almost uncorrelated, and W changes the image as little as possible
//   pca        (x - mean) W, N x components: the principal components with the largest variances, each divided by its
//              deviation. Components without variance are 0
//
// The statistics are frozen parameters. At first they are neutral: mean 0, deviation 1, W = I; pca then returns the
// first values of the image. fit_input_normalization sets them.
class InputNormalization : public torch::nn::Module, public Layer {
 public:
  // `options.kind` must not be kScale, which needs no layer. Throws a usage error if the images are too large for zca
  // or pca.
  InputNormalization(const InputNormalizationOptions& options, const ImageShape& shape);

  at::Tensor forward(const at::Tensor& images, const ForwardPass& pass) override;
  LayerDescription describe(const std::vector<int64_t>& input) const override;
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override;
  int64_t output_values() const;  // of an image

  // A function from normalized images, one in each row, to those that `forward` maps to them, N x C x S x S. It uses
  // this layer. For zca, it factorizes W: about a second at 3072 values. For pca, it sets the components that `forward`
  // leaves out to 0. Not for `image`, whose result does not contain the mean and the deviation.
  std::function<at::Tensor(const at::Tensor& normalized)> inverse() const;

  // Measures the statistics of the training images `rows` of a set (uint8, N x S x S x C). For zca and pca, at most
  // 20,000 of them, at even distances.
  void fit(const at::Tensor& images, const at::Tensor& rows);

 private:
  void fit_standard(const at::Tensor& images, const at::Tensor& rows);
  void fit_whitening(const at::Tensor& images, const at::Tensor& rows);
  at::Tensor values_of(const at::Tensor& images) const;
  at::Tensor images_of(const at::Tensor& values) const;
  bool whitens() const;

  InputNormalizationOptions options_;
  ImageShape shape_;
  // For zca and pca, the values of an image are in the order S x S x C, so that no image is copied.
  at::Tensor mean_;   // C x 1 x 1; S S C for zca and pca
  at::Tensor scale_;  // 1 / deviation, C x 1 x 1; the matrix for zca and pca, S S C x output values
};

// Measures the statistics of all layers of this kind within the modules, once for all of them. Does nothing if there
// are none. Waits for the device.
void fit_input_normalization(const std::vector<std::shared_ptr<torch::nn::Module>>& modules, const at::Tensor& images,
                             const at::Tensor& rows);

}  // namespace frgan
