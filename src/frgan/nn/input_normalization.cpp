#include "frgan/nn/input_normalization.h"

#include <algorithm>

#include <ATen/ops/linalg_cholesky.h>
#include <ATen/ops/linalg_eigh.h>
#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr int64_t kBlock = 1000;  // images that are measured together
constexpr int64_t kMostWhiteningImages = 20'000;
constexpr double kLeastImageVariance = 1e-8;  // added to the variance of an image
constexpr double kLeastVariance = 1e-6;       // of a principal component, as a share of the mean variance of the values

// Calls visit(block) for blocks of the images `rows`, N x C x S x S, double, in [-1, 1], on the CPU.
template <class Visit>
void for_each_block(const at::Tensor& images, const at::Tensor& rows, const Visit& visit) {
  for (int64_t first = 0; first < rows.numel(); first += kBlock) {
    const at::Tensor part = rows.narrow(0, first, std::min(kBlock, rows.numel() - first));
    const at::Tensor block = images.index_select(0, part.to(images.device())).to(at::kCPU, at::kDouble);
    visit(block.permute({0, 3, 1, 2}) / 127.5 - 1);
  }
}

// At most `most` of the rows, at even distances.
at::Tensor some_of(const at::Tensor& rows, int64_t most) {
  if (rows.numel() <= most) return rows;
  return rows.index_select(0, at::div(at::arange(most, at::kLong) * rows.numel(), most, "floor"));
}

}  // namespace

void describe(OptionSet& options, InputNormalizationOptions& normalization) {
  options.add("normalization", normalization.kind,
              "Normalization of the input. scale maps pixels to [-1, 1]. standard subtracts the mean of each channel "
              "over the training images, and divides by the standard deviation. image uses the mean and the deviation "
              "of each image. zca whitens images, so that their values are almost uncorrelated. pca replaces the image "
              "by its whitened principal components; it needs --network mlp or --method m1m2.",
              Words<InputNormalizationKind>{"scale", "standard", "image", "zca", "pca"});
  options.add("zca-epsilon", normalization.zca_epsilon,
              "Added to the eigenvalues of the covariance in --normalization zca, as a share of their mean: directions "
              "with less variance than this are not amplified to variance 1.",
              Range<double>{1e-6, 100});
  options.add("components", normalization.components,
              "Number of principal components in --normalization pca; all components if an image has fewer values.",
              Range<int64_t>{1, kMostWhitenedValues, "components"});
}

InputNormalization::InputNormalization(const InputNormalizationOptions& options, const ImageShape& shape)
    : options_(options), shape_(shape) {
  const int64_t values = shape.values();
  if (options.kind == InputNormalizationKind::kStandard) {
    mean_ = register_parameter("mean", at::zeros({shape.channels, 1, 1}), /*requires_grad=*/false);
    scale_ = register_parameter("scale", at::ones({shape.channels, 1, 1}), /*requires_grad=*/false);
  } else if (whitens()) {
    if (values > kMostWhitenedValues) {
      throw usage_error(
          fmt::format("--normalization zca and pca support images of at most {} values, but {} x {} x {} has {}; use "
                      "--normalization standard, or a smaller --image-size",
                      kMostWhitenedValues, shape.image_size, shape.image_size, shape.channels, values));
    }
    mean_ = register_parameter("mean", at::zeros({values}), /*requires_grad=*/false);
    scale_ = register_parameter("whitening_matrix", at::eye(values, output_values()), /*requires_grad=*/false);
  }
}

int64_t InputNormalization::output_values() const {
  if (options_.kind != InputNormalizationKind::kPca) return shape_.values();
  return std::min(shape_.values(), options_.components);
}

// N x S S C from N x C x S x S: a view of images that are contiguous in channels-last order.
at::Tensor InputNormalization::values_of(const at::Tensor& images) const {
  return images.permute({0, 2, 3, 1}).reshape({-1, shape_.values()});
}

at::Tensor InputNormalization::images_of(const at::Tensor& values) const {
  return values.view({-1, shape_.image_size, shape_.image_size, shape_.channels}).permute({0, 3, 1, 2});
}

at::Tensor InputNormalization::forward(const at::Tensor& images, const ForwardPass& /*pass*/) {
  if (options_.kind == InputNormalizationKind::kStandard) return (images - mean_) * scale_;
  if (options_.kind == InputNormalizationKind::kImage) {
    const at::Tensor centered = images - images.mean({1, 2, 3}, /*keepdim=*/true);
    return centered / (centered.square().mean({1, 2, 3}, /*keepdim=*/true) + kLeastImageVariance).sqrt();
  }
  const at::Tensor values = values_of(images);
  if (options_.kind == InputNormalizationKind::kPca) {
    // (x - m) W = x W - m W: there are few components, and many images.
    return at::addmm(at::mm(mean_.unsqueeze(0), scale_), values, scale_, /*beta=*/-1);
  }
  return images_of(at::mm(values - mean_, scale_));
}

LayerDescription InputNormalization::describe(const std::vector<int64_t>& input) const {
  LayerDescription description{.name = {}, .text = "normalization of each channel", .output = input};
  if (options_.kind == InputNormalizationKind::kImage) description.text = "normalization of each image";
  if (whitens()) {
    description.text = "ZCA whitening";
    if (options_.kind == InputNormalizationKind::kPca) {
      description.text = "whitened principal components";
      description.output = {output_values()};
    }
    description.flop = 2.0 * static_cast<double>(scale_.numel());
    description.has_backward = false;
  }
  return description;
}

GraphValue InputNormalization::add_to(GraphBuilder& graph, const GraphValue& x) const {
  const auto weight = [&](const char* name, const at::Tensor& value) { return graph.weight(graph.local(name), value); };
  if (options_.kind == InputNormalizationKind::kStandard) {
    return graph.multiply(graph.subtract(x, weight("mean", mean_)), weight("scale", scale_));
  }
  if (options_.kind == InputNormalizationKind::kImage) {
    const GraphValue centered = graph.subtract(x, graph.mean(x, {1, 2, 3}, /*keep=*/true).name);
    const GraphValue variance = graph.mean(graph.multiply(centered, centered.name), {1, 2, 3}, /*keep=*/true);
    const GraphValue shifted = graph.add(variance, graph.number(kLeastImageVariance));
    const GraphValue deviation = graph.apply("Sqrt", {shifted.name}, shifted.shape);
    return graph.apply("Div", {centered.name, deviation.name}, x.shape);
  }
  const GraphValue values = graph.reshape(graph.transpose(x, {0, 2, 3, 1}), {shape_.values()});
  const GraphValue centered = graph.subtract(values, weight("mean", mean_));
  const GraphValue whitened =
      graph.apply("MatMul", {centered.name, weight("whitening_matrix", scale_)}, {output_values()});
  if (options_.kind == InputNormalizationKind::kPca) return whitened;
  const int64_t side = shape_.image_size;
  return graph.transpose(graph.reshape(whitened, {side, side, shape_.channels}), {0, 3, 1, 2});
}

std::function<at::Tensor(const at::Tensor&)> InputNormalization::inverse() const {
  TORCH_CHECK(options_.kind != InputNormalizationKind::kImage, "the normalization of an image has no inverse");
  const std::vector<int64_t> sizes{-1, shape_.channels, shape_.image_size, shape_.image_size};
  if (options_.kind == InputNormalizationKind::kStandard) {
    return [this, sizes](const at::Tensor& normalized) { return normalized.reshape(sizes) / scale_ + mean_; };
  }
  if (options_.kind == InputNormalizationKind::kPca) {
    // The columns of the matrix are orthogonal. Its pseudoinverse is the transpose, with each row divided by its
    // squared length; rows of unused components stay 0.
    const at::Tensor squares = scale_.square().sum(0);
    const at::Tensor pseudoinverse = (scale_ / squares.masked_fill(squares == 0, 1)).t().contiguous();
    return [this, pseudoinverse](const at::Tensor& normalized) {
      return images_of(at::mm(normalized, pseudoinverse) + mean_);
    };
  }
  // W is symmetric and positive definite. Its largest and smallest eigenvalue differ by a factor of at most
  // sqrt(values / epsilon).
  const at::Tensor factor = at::linalg_cholesky(scale_.to(at::kDouble));
  return [this, sizes, factor](const at::Tensor& normalized) {
    const at::Tensor values = values_of(normalized.reshape(sizes)).to(at::kDouble);
    const at::Tensor solved = at::cholesky_solve(values.t(), factor).t().to(normalized.scalar_type());
    return images_of((solved + mean_).contiguous());
  };
}

void InputNormalization::fit(const at::Tensor& images, const at::Tensor& rows) {
  const torch::NoGradGuard no_grad;
  if (options_.kind == InputNormalizationKind::kStandard) fit_standard(images, rows);
  if (whitens()) fit_whitening(images, some_of(rows, kMostWhiteningImages));
}

bool InputNormalization::whitens() const {
  return options_.kind == InputNormalizationKind::kZca || options_.kind == InputNormalizationKind::kPca;
}

void InputNormalization::fit_standard(const at::Tensor& images, const at::Tensor& rows) {
  at::Tensor sum, squares;
  for_each_block(images, rows, [&](const at::Tensor& block) {
    const at::Tensor mean = block.mean({2, 3}), square = block.square().mean({2, 3});
    sum = sum.defined() ? sum + mean.sum(0) : mean.sum(0);
    squares = squares.defined() ? squares + square.sum(0) : square.sum(0);
  });
  const auto count = static_cast<double>(rows.numel());
  const at::Tensor mean = sum / count;
  const at::Tensor deviation = (squares / count - mean.square()).clamp_min(1e-8).sqrt();
  mean_.copy_(mean.view_as(mean_));
  scale_.copy_(deviation.reciprocal().view_as(scale_));
}

void InputNormalization::fit_whitening(const at::Tensor& images, const at::Tensor& rows) {
  const int64_t values = mean_.numel();
  at::Tensor mean = at::zeros({values}, at::kDouble), products = at::zeros({values, values}, at::kDouble);
  for_each_block(images, rows, [&](const at::Tensor& block) {
    const at::Tensor flat = values_of(block);
    mean += flat.sum(0);
    products.addmm_(flat.t(), flat);
  });
  const auto count = static_cast<double>(rows.numel());
  mean /= count;
  const at::Tensor covariance = products / count - at::outer(mean, mean);
  const at::Tensor variance = covariance.diagonal().mean().clamp_min(1e-12);
  const auto [eigenvalues, directions] = at::linalg_eigh(covariance / variance);
  mean_.copy_(mean);
  if (options_.kind == InputNormalizationKind::kPca) {
    const int64_t components = output_values(), first = values - components;  // the eigenvalues ascend
    const at::Tensor variances = eigenvalues.narrow(0, first, components),
                     vectors = directions.narrow(1, first, components);
    // A direction without variance, such as a constant pixel, gives 0: division would amplify it in other images.
    const at::Tensor factors = (variances * variance).rsqrt().masked_fill(variances < kLeastVariance, 0);
    // The sign of an eigenvector is arbitrary: the value with the largest magnitude is made positive.
    const at::Tensor signs = vectors.gather(0, vectors.abs().argmax(0, /*keepdim=*/true)).sign();
    scale_.copy_(vectors * signs * factors);
    return;
  }
  const at::Tensor factors = (eigenvalues.clamp_min(0) + options_.zca_epsilon).rsqrt();
  scale_.copy_(at::mm(directions * factors, directions.t()) * variance.rsqrt());
}

void fit_input_normalization(const std::vector<std::shared_ptr<torch::nn::Module>>& modules, const at::Tensor& images,
                             const at::Tensor& rows) {
  const torch::NoGradGuard no_grad;
  std::shared_ptr<InputNormalization> fitted;
  for (const auto& module : modules) {
    for (const auto& part : module->modules()) {
      const auto layer = std::dynamic_pointer_cast<InputNormalization>(part);
      if (!layer) continue;
      if (!fitted) {
        layer->fit(images, rows);
        fitted = layer;
        continue;
      }
      const std::vector<at::Tensor> from = fitted->parameters(), to = layer->parameters();
      for (size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
    }
  }
}

}  // namespace frgan
