#include "frgan/nn/activation.h"

#include <cmath>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "frgan/device/random.h"

namespace frgan {
namespace {

constexpr double kSlope = 0.2;

at::MemoryFormat layout_of(at::IntArrayRef shape) {
  return shape.size() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

at::Tensor random_input(at::IntArrayRef shape, uint64_t key, at::ScalarType type = at::kFloat) {
  return random_uniform(shape, -2, 2, key, at::kDouble).to(type).contiguous(layout_of(shape));
}

at::Tensor ones(at::IntArrayRef shape, at::ScalarType type = at::kFloat) {
  return at::ones(shape, type).contiguous(layout_of(shape));
}

// Output and gradients of sum(y * dy) of the function under test.
struct Differentiated {
  at::Tensor y, dx, dbias;
};
Differentiated differentiate(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& dy, double p,
                             uint64_t key) {
  const at::Tensor leaf = x.detach().clone().requires_grad_();
  const at::Tensor b = bias.defined() ? bias.detach().clone().requires_grad_() : at::Tensor();
  const at::Tensor y = bias_leaky_relu_dropout_(leaf.clone(), b, kSlope, p, key);
  y.backward(dy);
  return {y.detach(), leaf.grad(), b.defined() ? b.grad() : at::Tensor()};
}

// The expected result, composed of LibTorch operators in the type of the bias. `scale` holds the dropout factor of each
// element.
Differentiated composed(const at::Tensor& x, const at::Tensor& bias, const at::Tensor& dy, const at::Tensor& scale) {
  const at::ScalarType type = bias.scalar_type();
  const at::Tensor leaf = x.detach().to(type).requires_grad_();
  const at::Tensor b = bias.detach().clone().requires_grad_();
  const at::Tensor shaped = x.dim() == 4 ? b.view({1, -1, 1, 1}) : b;
  const at::Tensor y = at::leaky_relu(leaf + shaped, kSlope) * scale.to(type);
  y.backward(dy.to(type));
  return {y.detach().to(x.scalar_type()), leaf.grad().to(x.scalar_type()), b.grad()};
}

// Sizes with complete and partial tiles, and channel counts that do not divide a tile or exceed it.
const std::vector<std::vector<int64_t>> kShapes{{1, 1},        {5, 7},         {300, 20},
                                                {2, 1500},     {3, 20, 4, 5},  {2, 3, 33, 31},
                                                {1, 64, 8, 8}, {2, 1, 16, 16}, {1, 1100, 2, 2}};

TEST(Activation, MatchesLibTorchOperators) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    for (const auto& shape : kShapes) {
      SCOPED_TRACE(::testing::Message() << type << ' ' << at::IntArrayRef(shape));
      const at::Tensor x = random_input(shape, 1, type), dy = random_input(shape, 2, type);
      const at::Tensor bias = random_input({shape[1]}, 3, type == at::kDouble ? at::kDouble : at::kFloat);
      const Differentiated found = differentiate(x, bias, dy, 0, 0);
      const Differentiated expected = composed(x, bias, dy, ones(shape));
      EXPECT_TRUE(found.y.equal(expected.y));
      EXPECT_TRUE(found.dx.equal(expected.dx));
      EXPECT_EQ(found.dbias.scalar_type(), bias.scalar_type());
      EXPECT_TRUE(close_to(found.dbias, expected.dbias, type == at::kDouble ? 1e-13 : 1e-4));
    }
  }
}

// Runs the GPU implementation on the CPU, except the dropout of the GPU, which train/devices_test.cpp tests. Function
// and gradients are the same. The dropout mask differs, with the same rate and scale.
TEST(Activation, OperatorVersionMatchesLibTorch) {
  for (const auto& shape : kShapes) {
    SCOPED_TRACE(::testing::Message() << at::IntArrayRef(shape));
    const at::Tensor x = random_input(shape, 1), dy = random_input(shape, 2), bias = random_input({shape[1]}, 3);
    for (const double p : {0.0, 0.25}) {
      const at::Tensor leaf = x.clone().requires_grad_(), b = bias.clone().requires_grad_();
      const at::Tensor y = bias_leaky_relu_dropout_by_operators(leaf, b, kSlope, p, 7);
      y.backward(dy);
      const at::Tensor kept = p == 0 ? ones(shape) : y.detach().ne(0).to(at::kFloat) / (1 - p);
      const Differentiated expected = composed(x, bias, dy, kept);
      EXPECT_TRUE(close_to(y.detach(), expected.y, 1e-6));
      EXPECT_TRUE(close_to(leaf.grad(), expected.dx, 1e-6));
      EXPECT_TRUE(close_to(b.grad(), expected.dbias, 1e-4));
      if (p > 0 && y.numel() > 2000) {
        EXPECT_NEAR(y.eq(0).to(at::kFloat).mean().item<float>(), p, 0.05);
      }
    }
  }
}

TEST(Activation, MatchesGoldenLeakyRelu) {
  const GoldenFile golden("layers");
  const Differentiated found = differentiate(golden["leaky_relu.x"], {}, golden["leaky_relu.dy"], 0, 0);
  EXPECT_TRUE(close_to(found.y, golden["leaky_relu.y"], 1e-15));
  EXPECT_TRUE(close_to(found.dx, golden["leaky_relu.dx"], 1e-15));
}

TEST(Activation, OverwritesItsInput) {
  const at::Tensor x = random_input({4, 6}, 1), before = x.clone();
  const at::Tensor y = bias_leaky_relu_dropout_(x, {}, kSlope, 0, 0);
  EXPECT_EQ(y.data_ptr(), x.data_ptr());
  EXPECT_FALSE(x.equal(before));
  EXPECT_TRUE(x.equal(at::leaky_relu(before, kSlope)));
}

TEST(Activation, RejectsOtherLayouts) {
  EXPECT_THROW(bias_leaky_relu_dropout_(at::ones({2, 3, 4, 4}), at::ones({3}), kSlope, 0, 0), c10::Error);
}

TEST(Activation, PropagatesNonFiniteValues) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    for (const double p : {0.0, 0.5}) {
      const at::Tensor x = at::tensor({inf, -inf, nan, 1.0F}).to(type).repeat({64}).view({64, 4});
      const at::Tensor y = bias_leaky_relu_dropout_(x, {}, kSlope, p, 7).to(at::kFloat);
      EXPECT_FALSE(at::isfinite(y.narrow(1, 0, 3)).any().item<bool>()) << type;  // even if dropped
      EXPECT_TRUE(at::isfinite(y.select(1, 3)).all().item<bool>()) << type;
      if (p == 0) {
        EXPECT_TRUE((y.select(1, 0) == inf).all().item<bool>()) << type;
        EXPECT_TRUE((y.select(1, 1) == -inf).all().item<bool>()) << type;
      }
    }
  }
}

TEST(Activation, AcceptsAnEmptyTensor) {
  EXPECT_EQ(bias_leaky_relu_dropout_(at::ones({0, 5}), at::ones({5}), kSlope, 0.2, 1).numel(), 0);
}

TEST(Dropout, DropsTheGivenShareAndScalesTheRest) {
  for (const double p : {0.05, 0.2, 0.5, 0.95}) {
    const at::Tensor x = random_input({4, 16, 64, 64}, 1).abs_().add_(1);
    const at::Tensor y = frgan::dropout(x, p, 42);
    const double count = static_cast<double>(x.numel());
    const at::Tensor dropped = y.eq(0).to(at::kDouble);
    EXPECT_NEAR(dropped.mean().item<double>(), p, 5 * std::sqrt(p * (1 - p) / count)) << p;
    EXPECT_TRUE(y.equal(x * (1.0 - dropped).to(at::kFloat) * static_cast<float>(1 / (1 - p)))) << p;
    // Elements nearby in memory, or drawn from the same random word, are dropped independently.
    const at::Tensor flat = dropped.permute({0, 2, 3, 1}).flatten();
    for (const int64_t lag : {1, 2, 128, 256, 512, 1024}) {
      const double both = (flat.slice(0, lag) * flat.slice(0, 0, -lag)).mean().item<double>();
      EXPECT_NEAR(both, p * p, 5 * p * std::sqrt(1 / count) + 1e-5) << p << " lag " << lag;
    }
  }
}

TEST(Dropout, DoesNotModifyItsInput) {
  const at::Tensor x = random_input({3, 5, 4, 4}, 1), before = x.clone();
  EXPECT_TRUE(frgan::dropout(x, 0, 1).equal(before));
  EXPECT_FALSE(frgan::dropout(x, 0.5, 1).equal(before));
  EXPECT_TRUE(x.equal(before));
  // It accepts any layout; the result is channels-last.
  const at::Tensor y = frgan::dropout(before.contiguous(), 0.5, 1);
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(y.equal(frgan::dropout(x, 0.5, 1)));
}

// Forward and backward use the same mask as `dropout` with the same key.
TEST(Dropout, BackwardUsesTheMaskOfForward) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kBFloat16}) {
    for (const auto& shape : kShapes) {
      SCOPED_TRACE(::testing::Message() << type << ' ' << at::IntArrayRef(shape));
      const at::ScalarType wide = type == at::kDouble ? at::kDouble : at::kFloat;
      const at::Tensor x = random_input(shape, 1, type), dy = random_input(shape, 2, type),
                       bias = random_input({shape[1]}, 3, wide);
      const at::Tensor scale = frgan::dropout(ones(shape), 0.3, 9);
      const Differentiated found = differentiate(x, bias, dy, 0.3, 9);
      const Differentiated expected = composed(x, bias, dy, scale);
      EXPECT_TRUE(found.y.equal(expected.y));
      EXPECT_TRUE(found.dx.eq(0).equal(scale.eq(0)));
      const double rounding = type == at::kDouble ? 1e-15 : type == at::kFloat ? 1e-6 : 1.0 / 128;
      EXPECT_TRUE(close_to(found.dx, expected.dx, rounding));
      EXPECT_TRUE(close_to(found.dbias, expected.dbias, type == at::kDouble ? 1e-13 : 1e-4));
    }
  }
}

TEST(Dropout, MaskDependsOnKeyAndPositionOnly) {
  const auto kept = [](at::IntArrayRef shape, uint64_t key, at::ScalarType type = at::kFloat) {
    const at::Tensor y = frgan::dropout(ones(shape, type), 0.2, key);
    return (shape.size() == 4 ? y.permute({0, 2, 3, 1}) : y).flatten().ne(0);  // in memory order
  };
  const std::vector<int64_t> shape{7, 20, 31, 33};
  const at::Tensor mask = kept(shape, 5);
  EXPECT_TRUE(mask.equal(kept(shape, 5)));
  EXPECT_FALSE(mask.equal(kept(shape, 6)));
  // The mask does not depend on the type, the shape or the number of elements.
  EXPECT_TRUE(mask.equal(kept(shape, 5, at::kBFloat16)));
  EXPECT_TRUE(mask.equal(kept(shape, 5, at::kDouble)));
  EXPECT_TRUE(mask.equal(kept({mask.numel() / 3, 3}, 5)));
  EXPECT_TRUE(mask.slice(0, 0, 3000).equal(kept({1000, 3}, 5)));
}

TEST(Dropout, IsIndependentOfTheNumberOfThreads) {
  const std::vector<int64_t> shape{9, 20, 31, 33};
  const int before = at::get_num_threads();
  const at::Tensor x = random_input(shape, 1, at::kDouble), dy = random_input(shape, 2, at::kDouble);
  const at::Tensor bias = random_input({20}, 3, at::kDouble);
  std::vector<Differentiated> runs;
  for (const int threads : {1, 2, 3, 2}) {
    at::set_num_threads(threads);
    runs.push_back(differentiate(x, bias, dy, 0.2, 5));
  }
  at::set_num_threads(before);
  for (size_t i = 1; i < runs.size(); ++i) {
    EXPECT_TRUE(runs[i].y.equal(runs[0].y)) << i;
    EXPECT_TRUE(runs[i].dx.equal(runs[0].dx)) << i;
    EXPECT_TRUE(close_to(runs[i].dbias, runs[0].dbias, 1e-13)) << i;  // summed per thread
  }
  EXPECT_TRUE(runs[1].dbias.equal(runs[3].dbias));
}

// Central differences of sum(y * dy) with respect to bias and input.
TEST(Activation, GradientsMatchFiniteDifferences) {
  const double step = 1e-6;
  for (const auto& shape : std::vector<std::vector<int64_t>>{{4, 6}, {2, 5, 3, 2}}) {
    const at::Tensor x = random_input(shape, 1, at::kDouble), dy = random_input(shape, 2, at::kDouble);
    const at::Tensor bias = random_input({shape[1]}, 3, at::kDouble);
    const auto value = [&](const at::Tensor& input, const at::Tensor& b) {
      return (bias_leaky_relu_dropout_(input.clone(), b, kSlope, 0.25, 11) * dy).sum().item<double>();
    };
    const Differentiated found = differentiate(x, bias, dy, 0.25, 11);
    for (int64_t i = 0; i < bias.numel(); ++i) {
      const at::Tensor bump = at::zeros_like(bias);
      bump[i] = step;
      const double slope = (value(x, bias + bump) - value(x, bias - bump)) / (2 * step);
      EXPECT_NEAR(found.dbias[i].item<double>(), slope, 1e-7) << i;
    }
    const at::Tensor dx = found.dx.contiguous().flatten();
    for (int64_t i = 0; i < x.numel(); ++i) {
      const at::Tensor bump = at::zeros({x.numel()}, at::kDouble);
      bump[i] = step;
      const at::Tensor shaped = bump.view(shape).contiguous(layout_of(shape));
      const double slope = (value(x + shaped, bias) - value(x - shaped, bias)) / (2 * step);
      EXPECT_NEAR(dx[i].item<double>(), slope, 1e-7) << i;
    }
  }
}

}  // namespace
}  // namespace frgan
