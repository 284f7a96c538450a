#include "frgan/nn/input_normalization.h"

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_svd.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/network.h"
#include "frgan/nn/networks.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

constexpr ImageShape kGray{.image_size = 16, .channels = 1, .classes = 3};
constexpr ImageShape kColor{.image_size = 16, .channels = 3, .classes = 3};

// Images whose pixels are correlated and whose channels have different means and deviations.
at::Tensor smooth_images(int64_t count, int64_t channels) {
  at::manual_seed(1);
  const at::Tensor noise = at::randn({count, 4, 4, channels}).permute({0, 3, 1, 2});
  const at::Tensor smooth =
      at::upsample_bilinear2d(noise, {16, 16}, false) + 0.1 * at::randn({count, channels, 16, 16});
  const at::Tensor scale = at::arange(1, channels + 1, at::kFloat).view({1, -1, 1, 1});
  return (128 + 10 * scale + 12 * scale * smooth).clamp(0, 255).to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

at::Tensor scaled(const at::Tensor& pixels, at::ScalarType dtype = at::kFloat) {
  return (pixels.to(dtype).permute({0, 3, 1, 2}) / 127.5 - 1).contiguous(at::MemoryFormat::ChannelsLast);
}

std::shared_ptr<InputNormalization> fitted(const InputNormalizationOptions& options, const ImageShape& shape,
                                           const at::Tensor& pixels) {
  auto layer = std::make_shared<InputNormalization>(options, shape);
  layer->fit(pixels, at::arange(pixels.size(0), at::kLong));
  return layer;
}

TEST(InputNormalization, StandardGivesEachChannelMeanZeroAndDeviationOne) {
  const at::Tensor pixels = smooth_images(2500, 3);  // more than two blocks
  const auto layer = fitted({.kind = InputNormalizationKind::kStandard}, kColor, pixels);
  const at::Tensor images = scaled(pixels), out = layer->forward(images, {});
  EXPECT_LT(out.mean({0, 2, 3}).abs().max().item<double>(), 1e-4);
  EXPECT_LT((out.square().mean({0, 2, 3}) - 1).abs().max().item<double>(), 1e-4);
  EXPECT_TRUE(at::allclose(layer->inverse()(out), images, 1e-5, 1e-6));
  EXPECT_TRUE(out.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(InputNormalization, StatisticsAreThoseOfTheGivenRows) {
  const at::Tensor pixels = smooth_images(40, 1);
  const auto layer =
      std::make_shared<InputNormalization>(InputNormalizationOptions{.kind = InputNormalizationKind::kStandard}, kGray);
  layer->fit(pixels, at::tensor({3, 7, 21}, at::kLong));
  const at::Tensor chosen = scaled(pixels).index_select(0, at::tensor({3, 7, 21}, at::kLong));
  EXPECT_LT(layer->forward(chosen, {}).mean().abs().item<double>(), 1e-5);
}

TEST(InputNormalization, ImageNormalizesEachImageByItself) {
  const at::Tensor images = scaled(smooth_images(5, 3));
  InputNormalization layer({.kind = InputNormalizationKind::kImage}, kColor);
  const at::Tensor out = layer.forward(images, {});
  EXPECT_LT(out.mean({1, 2, 3}).abs().max().item<double>(), 1e-5);
  EXPECT_LT((out.square().mean({1, 2, 3}) - 1).abs().max().item<double>(), 1e-4);
  EXPECT_TRUE(at::allclose(layer.forward(images * 0.5 + 0.2, {}), out, 1e-3, 1e-4));
}

// With a small epsilon, the covariance of the whitened values is the identity, and W is symmetric.
TEST(InputNormalization, ZcaWhitens) {
  const at::Tensor pixels = smooth_images(3000, 1), images = scaled(pixels);
  const auto layer = fitted({.kind = InputNormalizationKind::kZca, .zca_epsilon = 1e-6}, kGray, pixels);
  const at::Tensor out = layer->forward(images, {}).flatten(1).to(at::kDouble);
  const at::Tensor covariance = at::mm(out.t(), out) / 3000;
  EXPECT_LT((covariance - at::eye(256, at::kDouble)).abs().max().item<double>(), 0.02);
  const at::Tensor w = layer->parameters()[1];
  EXPECT_TRUE(at::allclose(w, w.t(), 1e-3, 1e-3));
  const auto regular = fitted({.kind = InputNormalizationKind::kZca, .zca_epsilon = 0.1}, kGray, pixels);
  EXPECT_TRUE(at::allclose(regular->inverse()(regular->forward(images, {})), images, 1e-3, 1e-4));
  // Directions of little variance are not amplified: the variance of all values is below 1.
  EXPECT_LT(regular->forward(images, {}).flatten(1).var(0).mean().item<double>(), 0.7);
}

// W against an independent formula: the covariance of float64 values, W (Cov + epsilon I) W = I.
TEST(InputNormalization, ZcaIsTheInverseSquareRootOfTheCovariance) {
  const at::Tensor pixels = smooth_images(600, 1), values = scaled(pixels, at::kDouble).flatten(1);
  const auto layer = fitted({.kind = InputNormalizationKind::kZca, .zca_epsilon = 0.1}, kGray, pixels);
  const at::Tensor centered = values - values.mean(0);
  const at::Tensor covariance = at::mm(centered.t(), centered) / 600;
  const at::Tensor variance = covariance.diagonal().mean();
  const at::Tensor w = layer->parameters()[1].to(at::kDouble) * variance.sqrt();
  const at::Tensor product = at::mm(at::mm(w, covariance / variance + 0.1 * at::eye(256, at::kDouble)), w);
  EXPECT_LT((product - at::eye(256, at::kDouble)).abs().max().item<double>(), 1e-3);
}

// Against the same formula with the values in the order of N x C x S x S.
TEST(InputNormalization, ZcaWhitensColorImages) {
  const at::Tensor pixels = smooth_images(900, 3), images = scaled(pixels);
  const auto layer = fitted({.kind = InputNormalizationKind::kZca, .zca_epsilon = 0.1}, kColor, pixels);
  const at::Tensor out = layer->forward(images, {});
  const at::Tensor values = images.flatten(1).to(at::kDouble), centered = values - values.mean(0);
  const at::Tensor covariance = at::mm(centered.t(), centered) / 900;
  const at::Tensor variance = covariance.diagonal().mean();
  const auto [eigenvalues, directions] = at::linalg_eigh(covariance / variance);
  const at::Tensor w = at::mm(directions * (eigenvalues + 0.1).rsqrt(), directions.t()) / variance.sqrt();
  EXPECT_TRUE(at::allclose(out.flatten(1).to(at::kDouble), at::mm(centered, w), 1e-3, 1e-3));
  EXPECT_TRUE(at::allclose(layer->inverse()(out.flatten(1)), images, 1e-3, 1e-3));
  EXPECT_TRUE(out.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(InputNormalization, PcaOfColorImagesHasAnInverse) {
  const at::Tensor pixels = smooth_images(900, 3), images = scaled(pixels);
  const auto layer = fitted({.kind = InputNormalizationKind::kPca, .components = 768}, kColor, pixels);
  EXPECT_TRUE(at::allclose(layer->inverse()(layer->forward(images, {})), images, 1e-3, 1e-3));
}

// Against the singular values of the centered images: the components are uncorrelated, have variance 1, and span the
// directions of largest variance.
TEST(InputNormalization, PcaGivesTheWhitenedPrincipalComponents) {
  constexpr int64_t kComponents = 20;
  const at::Tensor pixels = smooth_images(600, 1), images = scaled(pixels), values = images.flatten(1).to(at::kDouble);
  const auto layer = fitted({.kind = InputNormalizationKind::kPca, .components = kComponents}, kGray, pixels);
  const at::Tensor out = layer->forward(images, {});
  ASSERT_EQ(out.sizes(), (at::IntArrayRef{600, kComponents}));
  const at::Tensor covariance = at::mm(out.t(), out).to(at::kDouble) / 600;
  EXPECT_LT((covariance - at::eye(kComponents, at::kDouble)).abs().max().item<double>(), 1e-3);
  const at::Tensor centered = values - values.mean(0);
  const at::Tensor directions =
      std::get<2>(at::linalg_svd(centered, /*full_matrices=*/false)).narrow(0, 0, kComponents);
  const at::Tensor projected = at::mm(at::mm(centered, directions.t()), directions) + values.mean(0);
  const at::Tensor inverse = layer->inverse()(out);
  EXPECT_EQ(inverse.sizes(), images.sizes());
  EXPECT_TRUE(at::allclose(inverse.flatten(1).to(at::kDouble), projected, 1e-3, 1e-4));
  EXPECT_EQ(layer->describe({1, 16, 16}).output, std::vector<int64_t>{kComponents});
}

// All components of small images are used.
TEST(InputNormalization, PcaHasAtMostOneComponentForEachValue) {
  const at::Tensor pixels = smooth_images(600, 1), images = scaled(pixels);
  const auto layer = fitted({.kind = InputNormalizationKind::kPca, .components = 600}, kGray, pixels);
  const at::Tensor out = layer->forward(images, {});
  EXPECT_EQ(out.size(1), 256);
  EXPECT_TRUE(at::allclose(layer->inverse()(out), images, 1e-3, 1e-3));
}

// Fewer images than components: the directions that no training image has are 0 in other images, too.
TEST(InputNormalization, PcaIgnoresDirectionsWithoutVariance) {
  const at::Tensor pixels = smooth_images(60, 1);
  InputNormalization layer({.kind = InputNormalizationKind::kPca, .components = 100}, kGray);
  layer.fit(pixels, at::arange(30, at::kLong));
  const at::Tensor all = layer.forward(scaled(pixels), {});
  EXPECT_EQ((all.abs().sum(0) > 0).sum().item<int64_t>(), 29);
  EXPECT_LT(all.abs().max().item<double>(), 30);
  const at::Tensor fitted_images = scaled(pixels.narrow(0, 0, 30));
  EXPECT_TRUE(at::allclose(layer.inverse()(all.narrow(0, 0, 30)), fitted_images, 1e-3, 1e-3));
}

TEST(InputNormalization, PcaNeedsANetworkThatTakesVectors) {
  NetworkOptions options{.network = "mlp"};
  options.normalization = {.kind = InputNormalizationKind::kPca, .components = 20};
  const NetworkPtr network = create_network(options, kColor, 1);
  EXPECT_EQ(network->forward(scaled(smooth_images(3, 3)), {}).logits.size(0), 3);
  for (const NetworkInfo& info : all_networks()) {
    if (info.takes_vectors) continue;
    options.network = info.name;
    try {
      create_network(options, kColor, 1);
      FAIL() << info.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("--normalization pca cannot be combined with --network"));
    }
  }
}

TEST(InputNormalization, IsTheFirstLayerOfEveryNetwork) {
  const at::Tensor pixels = smooth_images(50, 3);
  for (const NetworkInfo& info : all_networks()) {
    if (info.smallest_image > kColor.image_size) continue;
    SCOPED_TRACE(info.name);
    const std::string name(info.name);
    const NetworkPtr plain = create_network({.network = name, .width = 1.0 / 16}, kColor, 1);
    NetworkOptions options{.network = name, .width = 1.0 / 16};
    options.normalization.kind = InputNormalizationKind::kStandard;
    const NetworkPtr network = create_network(options, kColor, 1);
    EXPECT_EQ(network->layers().front().name, "normalization");
    EXPECT_EQ(network->layers().size(), plain->layers().size() + 1);
    EXPECT_EQ(network->forward_flop(), plain->forward_flop());
    EXPECT_EQ(parameter_count(*network), parameter_count(*plain));  // the statistics are not trained
    fit_input_normalization({network}, pixels, at::arange(50, at::kLong));
    const auto layer = fitted({.kind = InputNormalizationKind::kStandard}, kColor, pixels);
    const torch::NoGradGuard no_grad;
    const at::Tensor images = scaled(pixels).narrow(0, 0, 4);
    EXPECT_TRUE(at::allclose(network->forward(images, {}).logits, plain->forward(layer->forward(images, {}), {}).logits,
                             1e-4, 1e-5));
  }
}

// The statistics of the network's normalization.
std::vector<at::Tensor> one_layer(const NetworkPtr& network) {
  return {network->named_parameters()["normalization.mean"],
          network->named_parameters()["normalization.whitening_matrix"]};
}

TEST(InputNormalization, IsFittedOnceForSeveralNetworks) {
  NetworkOptions options{.network = "mlp"};
  options.normalization.kind = InputNormalizationKind::kZca;
  const NetworkPtr one = create_network(options, kGray, 1), other = create_network(options, kGray, 2);
  fit_input_normalization({one, other}, smooth_images(300, 1), at::arange(300, at::kLong));
  EXPECT_TRUE(one_layer(one)[1].equal(one_layer(other)[1]));
  EXPECT_FALSE(one_layer(one)[1].equal(at::eye(256)));
}

// Whitening has no backward pass: 256^2 multiply-adds, counted once.
TEST(InputNormalization, CountsItsWorkOnce) {
  NetworkOptions options{.network = "mlp"};
  const NetworkPtr plain = create_network(options, kGray, 1);
  options.normalization.kind = InputNormalizationKind::kZca;
  const NetworkPtr whitened = create_network(options, kGray, 1);
  EXPECT_EQ(whitened->forward_flop() - plain->forward_flop(), 2 * 256 * 256);
  EXPECT_EQ(whitened->training_flop() - plain->training_flop(), 2 * 256 * 256);
  EXPECT_EQ(plain->training_flop(), 3 * plain->forward_flop());
}

TEST(InputNormalization, ZcaRejectsLargeImages) {
  try {
    InputNormalization({.kind = InputNormalizationKind::kZca}, {.image_size = 64, .channels = 3, .classes = 2});
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("at most 4096 values, but 64 x 64 x 3 has 12288"));
  }
}

}  // namespace
}  // namespace frgan
