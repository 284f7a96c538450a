// Logistic regression: the optimum, against its definition, and cross-validation.
#include "frgan/methods/logistic_regression.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "frgan/device/random.h"

namespace frgan {
namespace {

struct Examples {
  at::Tensor features, labels;
};

// Gaussian classes whose means are at distance `gap` from 0, each in its own direction.
Examples gaussian_classes(int64_t images, int64_t features, int64_t classes, double gap, uint64_t key = 1) {
  const at::Tensor labels = at::arange(images, at::kLong).remainder(classes);
  const at::Tensor noise = random_noise({.count = images, .size = features, .kind = NoiseKind::kNormal}, key,
                                        at::TensorOptions(at::kDouble));
  const at::Tensor means = gap * at::eye(classes, features, at::kDouble);
  return {noise + means.index_select(0, labels), labels};
}

// The objective as its definition states it.
at::Tensor objective(const Examples& data, const LinearClassifier& found, double l2) {
  const at::Tensor logits = data.features.matmul(found.weight.t()) + found.bias;
  const at::Tensor p = logits.exp() / logits.exp().sum(1, /*keepdim=*/true);
  return -p.gather(1, data.labels.unsqueeze(1)).log().sum() + l2 / 2 * found.weight.pow(2).sum();
}

// The objective is strictly convex in W, so the only stationary point is the optimum.
TEST(LogisticRegression, EndsAtTheStationaryPointOfTheObjective) {
  for (const auto& [images, features] : {std::pair<int64_t, int64_t>{60, 8}, {12, 40}}) {
    for (const double l2 : {0.01, 1.0, 100.0}) {
      const Examples data = gaussian_classes(images, features, 3, 1.5);
      LinearClassifier found = fit_logistic_regression(data.features, data.labels, 3, l2);
      EXPECT_EQ(found.weight.sizes(), (at::IntArrayRef{3, features}));
      found.weight.requires_grad_();
      found.bias.requires_grad_();
      const auto gradients = torch::autograd::grad({objective(data, found, l2)}, {found.weight, found.bias});
      EXPECT_LT(gradients[0].abs().max().item<double>(), 1e-4) << images << ' ' << l2;
      EXPECT_LT(gradients[1].abs().max().item<double>(), 1e-4) << images << ' ' << l2;
    }
  }
}

TEST(LogisticRegression, DoesNotDependOnTheStart) {
  const Examples data = gaussian_classes(12, 40, 3, 1.5);
  const LinearClassifier strong = fit_logistic_regression(data.features, data.labels, 3, 1000);
  const LinearClassifier one = fit_logistic_regression(data.features, data.labels, 3, 1),
                         other = fit_logistic_regression(data.features, data.labels, 3, 1, &strong);
  EXPECT_TRUE(one.weight.allclose(other.weight, 0, 1e-5));
  EXPECT_GT((strong.weight - one.weight).abs().max().item<double>(), 0.1);
}

TEST(CrossValidation, PrefersAStrongPenaltyForNoiseAndAWeakOneForClearClasses) {
  const Examples clear = gaussian_classes(90, 5, 3, 8), noise = gaussian_classes(90, 60, 3, 0);
  const CrossValidation weak = cross_validate(clear.features, clear.labels, 3, 5, 7);
  const CrossValidation strong = cross_validate(noise.features, noise.labels, 3, 5, 7);
  EXPECT_LT(weak.l2, 1);
  EXPECT_GE(strong.l2, 1000);
  EXPECT_NEAR(*std::ranges::min_element(strong.loss), std::log(3.0), 0.02);  // of guessing
  EXPECT_EQ(weak.l2s.size(), 15U);
  EXPECT_EQ(weak.loss.size(), 15U);
}

// Each image is judged by a classifier that did not see it: labels of pure noise cannot be predicted, although the
// features of an image determine its label.
TEST(CrossValidation, DoesNotSeeTheImagesThatItJudges) {
  const Examples noise = gaussian_classes(90, 200, 3, 0);
  const LinearClassifier memorized = fit_logistic_regression(noise.features, noise.labels, 3, 0.01);
  EXPECT_TRUE(memorized.logits(noise.features).argmax(1).equal(noise.labels));
  const CrossValidation result = cross_validate(noise.features, noise.labels, 3, 5, 7);
  EXPECT_EQ(result.held_out.numel(), 90);
  EXPECT_GT(result.logits.argmax(1).ne(noise.labels).to(at::kDouble).mean().item<double>(), 0.4);
}

TEST(CrossValidation, NeverHoldsOutTheOnlyImageOfAClass) {
  Examples data = gaussian_classes(21, 4, 3, 4);
  data.labels = at::zeros({21}, at::kLong);
  data.labels.narrow(0, 10, 10).fill_(1);
  data.labels[20] = 2;
  const CrossValidation result = cross_validate(data.features, data.labels, 3, 5, 7);
  EXPECT_TRUE(result.held_out.equal(at::arange(20, at::kLong)));
  EXPECT_EQ(result.logits.sizes(), (at::IntArrayRef{20, 3}));
  // One image per class: there is nothing to hold out.
  const Examples few = gaussian_classes(3, 4, 3, 4);
  EXPECT_EQ(cross_validate(few.features, few.labels, 3, 5, 7).l2, 1);
}

TEST(LogisticRegression, ScaleIsTheRootOfTheMeanSquare) {
  EXPECT_DOUBLE_EQ(features_scale(at::tensor({3.0, 4.0, 0.0, 0.0}).view({2, 2})), 2.5);
  EXPECT_DOUBLE_EQ(features_scale(at::zeros({2, 2})), 1);
}

}  // namespace
}  // namespace frgan
