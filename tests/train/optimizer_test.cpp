// Optimizers and weight decay, compared with LibTorch.
#include "frgan/train/optimizer.h"

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/nn/module.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include "../golden/golden_file.h"
#include "frgan/device/random.h"
#include "frgan/nn/weight_norm.h"
#include "frgan/train/adam.h"

namespace frgan {
namespace {

// A module with a convolution weight (channels-last) and a vector.
struct TwoParameters : torch::nn::Module {
  explicit TwoParameters(at::ScalarType type) {
    kernel = register_parameter("kernel", random_uniform({3, 2, 3, 3}, -1, 1, 1, type));
    vector = register_parameter("vector", random_uniform({5}, -1, 1, 2, type));
  }
  at::Tensor kernel, vector;
};

double rate_at(int step) {
  return 3e-3 * (1 - step / 30.0);
}

TEST(Adam, EqualsLibTorch) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    TwoParameters ours(type), theirs(type);
    const FlatParameters flat(ours);
    Adam adam(flat, {.beta1 = 0.5, .beta2 = 0.999, .epsilon = 1e-8});
    torch::optim::Adam reference(theirs.parameters(), torch::optim::AdamOptions().betas({0.5, 0.999}).eps(1e-8));
    for (int step = 0; step < 20; ++step) {
      for (size_t i = 0; i < 2; ++i) {
        const at::Tensor gradient =
            random_normal(theirs.parameters()[i].sizes(), static_cast<uint64_t>(10 * step) + i, type) * 0.01;
        ours.parameters()[i].mutable_grad().copy_(gradient);  // a view of the buffer
        theirs.parameters()[i].mutable_grad() = gradient;
      }
      const auto numbers = adam.scalar_values(rate_at(step), step + 1);
      adam.step({at::full({}, numbers[0], type), at::full({}, numbers[1], type)});
      static_cast<torch::optim::AdamOptions&>(reference.param_groups()[0].options()).lr(rate_at(step));
      reference.step();
      for (size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(close_to(ours.parameters()[i], theirs.parameters()[i], type == at::kDouble ? 1e-14 : 1e-6))
            << type << " step " << step;
      }
    }
  }
}

// Checks the GPU implementation on the CPU.
TEST(Adam, OperatorsEqualTheKernel) {
  for (const bool inside : {false, true}) {
    TwoParameters one(at::kDouble), other(at::kDouble);
    const FlatParameters first(one), second(other);
    Adam kernel(first, {.epsilon_inside_root = inside}), operators(second, {.epsilon_inside_root = inside});
    for (int step = 0; step < 5; ++step) {
      const at::Tensor gradient = random_normal(first.gradients().sizes(), static_cast<uint64_t>(step), at::kDouble);
      first.gradients().copy_(gradient);
      second.gradients().copy_(gradient);
      const auto numbers = kernel.scalar_values(rate_at(step), step + 1);
      const at::Tensor size = at::full({}, numbers[0], at::kDouble), scale = at::full({}, numbers[1], at::kDouble);
      kernel.step({size, scale});
      operators.step_by_operators({size, scale});
      EXPECT_TRUE(close_to(first.values(), second.values(), 1e-14)) << step;
    }
  }
}

TEST(Adam, MatchesGoldenValuesForBothEpsilonPositions) {
  struct Vector : torch::nn::Module {
    explicit Vector(const at::Tensor& start) { register_parameter("p", start); }
  };
  const GoldenFile golden("schedules");
  for (const bool inside : {false, true}) {
    const std::string name = inside ? "adam_inside_root" : "adam";
    SCOPED_TRACE(name);
    Vector module(golden["adam.start"]);
    const FlatParameters flat(module);
    Adam adam(flat, {.epsilon_inside_root = inside});
    const at::Tensor rates = golden["adam.rates"], gradients = golden["adam.gradients"];
    for (int64_t step = 0; step < rates.numel(); ++step) {
      flat.gradients().copy_(gradients[step]);
      const auto numbers = adam.scalar_values(rates[step].item<double>(), static_cast<double>(step + 1));
      adam.step({at::full({}, numbers[0], at::kDouble), at::full({}, numbers[1], at::kDouble)});
      EXPECT_TRUE(close_to(flat.values(), golden[name + ".parameters"][step], 1e-14)) << step;
    }
    EXPECT_TRUE(close_to(adam.mean, golden[name + ".m"], 1e-14));
    EXPECT_TRUE(close_to(adam.square, golden[name + ".v"], 1e-14));
  }
}

// Expected for one parameter: m = (1 - beta1) g and v = (1 - beta2) g^2, so the corrected moments are g and g^2.
TEST(Adam, FirstStepEqualsTheFormula) {
  const double gradient = 3e-4, rate = 0.1, epsilon = 1e-4;
  for (const bool inside : {false, true}) {
    struct Number : torch::nn::Module {
      Number() { register_parameter("x", at::ones({1}, at::kDouble)); }
    } module;
    const FlatParameters flat(module);
    flat.gradients().fill_(gradient);
    Adam adam(flat, {.epsilon = epsilon, .epsilon_inside_root = inside});
    const auto numbers = adam.scalar_values(rate, 1);
    adam.step({at::full({}, numbers[0], at::kDouble), at::full({}, numbers[1], at::kDouble)});
    const double root = inside ? std::sqrt(gradient * gradient + epsilon) : gradient + epsilon;
    EXPECT_NEAR(flat.values().item<double>(), 1 - rate * gradient / root, 1e-15) << inside;
  }
}

TEST(Adam, CorrectsTheBiasByItsScalars) {
  struct Number : torch::nn::Module {
    Number() { register_parameter("x", at::ones({1})); }
  } module;
  const FlatParameters flat(module);
  const Adam adam(flat, {.beta1 = 0.5, .beta2 = 0.75});
  EXPECT_EQ(adam.scalar_names(), (std::vector<std::string>{"step_size", "variance_scale"}));
  EXPECT_EQ(adam.scalar_values(1, 2), (std::vector<double>{1 / 0.75, 1 / (1 - 0.75 * 0.75)}));
}

// LibTorch's SGD with and without Nesterov's momentum; kernel and operators.
TEST(Sgd, EqualsLibTorch) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    for (const bool nesterov : {true, false}) {
      TwoParameters ours(type), by_operators(type), theirs(type);
      const FlatParameters flat(ours), flat_by_operators(by_operators);
      const OptimizerOptions options{.kind = OptimizerKind::kSgd, .momentum = 0.9, .nesterov = nesterov};
      const auto kernel = make_optimizer(flat, options), operators = make_optimizer(flat_by_operators, options);
      torch::optim::SGD reference(theirs.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).nesterov(nesterov));
      for (int step = 0; step < 20; ++step) {
        for (size_t i = 0; i < 2; ++i) {
          const at::Tensor gradient =
              random_normal(theirs.parameters()[i].sizes(), static_cast<uint64_t>(10 * step) + i, type) * 0.01;
          ours.parameters()[i].mutable_grad().copy_(gradient);
          by_operators.parameters()[i].mutable_grad().copy_(gradient);
          theirs.parameters()[i].mutable_grad() = gradient;
        }
        const std::vector<double> numbers = kernel->scalar_values(rate_at(step), step + 1);
        ASSERT_EQ(numbers, std::vector<double>{rate_at(step)});
        kernel->step({at::full({}, numbers[0], type)});
        operators->step_by_operators({at::full({}, numbers[0], type)});
        static_cast<torch::optim::SGDOptions&>(reference.param_groups()[0].options()).lr(rate_at(step));
        reference.step();
        for (size_t i = 0; i < 2; ++i) {
          const double tolerance = type == at::kDouble ? 1e-14 : 1e-6;
          EXPECT_TRUE(close_to(ours.parameters()[i], theirs.parameters()[i], tolerance)) << type << " step " << step;
          EXPECT_TRUE(close_to(by_operators.parameters()[i], theirs.parameters()[i], tolerance)) << type;
        }
      }
      EXPECT_EQ(kernel->state()[0].first, "velocity");
    }
  }
}

TEST(WeightDecay, ShrinksWeightsButNotVectors) {
  TwoParameters module(at::kDouble);
  const at::Tensor kernel = module.kernel.detach().clone(), vector = module.vector.detach().clone();
  const FlatParameters flat(module);
  const WeightDecay decay(flat, 0.5);
  EXPECT_EQ(decay.factor(0.1), 0.05);
  decay.apply(at::full({}, decay.factor(0.1), at::kDouble));
  EXPECT_TRUE(close_to(module.kernel, kernel * 0.95, 1e-15));
  EXPECT_TRUE(module.vector.equal(vector));
}

// The length of a direction has no effect, so a decay would only change the learning rate.
TEST(WeightDecay, LeavesTheDirectionsOfWeightNorm) {
  WeightSource source(WeightInit::kXavier, 1, 1);
  const WeightNormLinear layer(4, 3, 1.0, true, source);
  const at::Tensor before = layer->direction.detach().clone();
  const WeightDecay decay(FlatParameters(*layer), 0.5);
  decay.apply(at::full({}, decay.factor(0.1)));
  EXPECT_TRUE(layer->direction.equal(before));
}

// Weight decay before Adam's update is AdamW.
TEST(WeightDecay, WithAdamEqualsLibTorchsAdamW) {
  struct Matrix : torch::nn::Module {
    Matrix() { matrix = register_parameter("matrix", random_uniform({4, 3}, -1, 1, 1, at::kDouble)); }
    at::Tensor matrix;
  } ours, theirs;
  const FlatParameters flat(ours);
  Adam adam(flat, {.beta1 = 0.9});
  const WeightDecay decay(flat, 0.3);
  torch::optim::AdamW reference(theirs.parameters(),
                                torch::optim::AdamWOptions(1e-2).betas({0.9, 0.999}).weight_decay(0.3));
  for (int step = 0; step < 10; ++step) {
    const at::Tensor gradient = random_normal({4, 3}, static_cast<uint64_t>(step), at::kDouble);
    flat.gradients().copy_(gradient.flatten());
    theirs.matrix.mutable_grad() = gradient;
    decay.apply(at::full({}, decay.factor(1e-2), at::kDouble));
    const std::vector<double> numbers = adam.scalar_values(1e-2, step + 1);
    adam.step({at::full({}, numbers[0], at::kDouble), at::full({}, numbers[1], at::kDouble)});
    reference.step();
    EXPECT_TRUE(close_to(ours.matrix, theirs.matrix, 1e-14)) << step;
  }
}

}  // namespace
}  // namespace frgan
