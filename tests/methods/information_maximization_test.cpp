// Information maximization: the objective, its minimum, and the choice of its weight.
#include "frgan/methods/information_maximization.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "frgan/device/random.h"

namespace frgan {
namespace {

constexpr int64_t kClasses = 3, kFeatures = 20;

at::Tensor normal(int64_t images, uint64_t key) {
  return random_noise({.count = images, .size = kFeatures, .kind = NoiseKind::kNormal}, key,
                      at::TensorOptions(at::kDouble));
}

struct Images {
  FeatureViews views;
  at::Tensor labels;
  FeatureViews labeled() const { return views.rows(at::arange(6, at::kLong)); }  // two images of each class
  at::Tensor shown() const { return labels.slice(0, 0, 6); }
};

// Images in three clusters, whose centers are at distance `gap` from 0. The views differ by a little noise.
Images clusters(int64_t images, double gap, uint64_t key) {
  const at::Tensor labels = at::arange(images, at::kLong).remainder(kClasses);
  const at::Tensor centers = gap * at::eye(kClasses, kFeatures, at::kDouble).index_select(0, labels);
  const at::Tensor first = centers + normal(images, key);
  return {{first, first + 0.3 * normal(images, key + 1)}, labels};
}

double error_of(const LinearClassifier& classifier, const Images& images) {
  return classifier.logits(images.views.first).argmax(1).ne(images.labels).to(at::kDouble).mean().item<double>();
}

// The objective as its definition states it.
at::Tensor objective(const LinearClassifier& found, const Images& images, const InformationWeights& weights) {
  const auto p = [&](const at::Tensor& x) { return (x.matmul(found.weight.t()) + found.bias).softmax(1); };
  const auto ce = [](const at::Tensor& target, const at::Tensor& prediction) {
    return -(target * prediction.log()).sum(1);
  };
  const at::Tensor y = at::one_hot(images.shown(), kClasses).to(at::kDouble), first = p(images.views.first),
                   second = p(images.views.second), mean = ((first + second) / 2).mean(0);
  const at::Tensor of_labels = (ce(y, p(images.labeled().first)) + ce(y, p(images.labeled().second))).sum() / 2;
  const at::Tensor of_all =
      (ce(first, second) + ce(second, first)).mean() / 2 + weights.balance * (mean * mean.log()).sum();
  return of_labels + weights.l2 / 2 * found.weight.square().sum() + weights.information * 6 * of_all;
}

TEST(InformationMaximization, EndsAtAStationaryPointOfTheObjective) {
  const Images images = clusters(60, 2, 1);
  const LinearClassifier start = fit_logistic_regression(images.labeled().first, images.shown(), kClasses, 1);
  for (const double information : {0.0, 0.3, 2.0}) {
    const InformationWeights weights{.l2 = 1, .information = information, .balance = 1.5};
    LinearClassifier found =
        fit_information_maximization(images.labeled(), images.shown(), images.views, weights, start, 500);
    EXPECT_LT(objective(found, images, weights).item<double>(), objective(start, images, weights).item<double>());
    found.weight.requires_grad_();
    found.bias.requires_grad_();
    const auto gradients = torch::autograd::grad({objective(found, images, weights)}, {found.weight, found.bias});
    EXPECT_LT(gradients[0].abs().max().item<double>(), 1e-3) << information;
    EXPECT_LT(gradients[1].abs().max().item<double>(), 1e-3) << information;
  }
}

TEST(InformationMaximization, FindsClustersThatFewLabelsDoNotShow) {
  const Images images = clusters(600, 3, 1), others = clusters(600, 3, 50);
  const LinearClassifier start = fit_logistic_regression(images.labeled().first, images.shown(), kClasses, 1);
  const InformationWeights weights{.l2 = 1, .information = 0.3};
  const LinearClassifier found =
      fit_information_maximization(images.labeled(), images.shown(), images.views, weights, start, 80);
  EXPECT_GT(error_of(start, others), 0.1);
  EXPECT_LT(error_of(found, others), 0.5 * error_of(start, others));
}

TEST(InformationMaximization, SinglePrecisionAgrees) {
  const Images images = clusters(200, 3, 1);
  const LinearClassifier start = fit_logistic_regression(images.labeled().first, images.shown(), kClasses, 1);
  const InformationWeights weights{.l2 = 1, .information = 0.3};
  const FeatureViews singles{images.views.first.to(at::kFloat), images.views.second.to(at::kFloat)};
  const LinearClassifier exact =
      fit_information_maximization(images.labeled(), images.shown(), images.views, weights, start, 300);
  const LinearClassifier single =
      fit_information_maximization(images.labeled(), images.shown(), singles, weights, start, 300);
  EXPECT_EQ(single.weight.scalar_type(), at::kDouble);
  EXPECT_TRUE(single.weight.allclose(exact.weight, /*rtol=*/0.02, /*atol=*/0.02));
}

TEST(InformationMaximization, BalanceMakesClassesEquallyFrequent) {
  Images images = clusters(600, 1, 1);
  const LinearClassifier start = fit_logistic_regression(images.labeled().first, images.shown(), kClasses, 1);
  const auto largest_share = [&](double balance) {
    const LinearClassifier found = fit_information_maximization(
        images.labeled(), images.shown(), images.views, {.l2 = 1, .information = 3, .balance = balance}, start, 80);
    return found.logits(images.views.first).softmax(1).mean(0).max().item<double>();
  };
  EXPECT_GT(largest_share(0), 0.5);
  EXPECT_NEAR(largest_share(3), 1.0 / 3, 0.03);
}

InformationChoice choice_for(const Images& images, int64_t labels) {
  const FeatureViews labeled = images.views.rows(at::arange(labels, at::kLong));
  return cross_validate_information(labeled, images.labels.slice(0, 0, labels), images.views, kClasses, {.l2 = 1}, 5,
                                    7);
}

TEST(InformationMaximization, CrossValidationUsesAllImagesOnlyIfTheyHelp) {
  const InformationChoice helpful = choice_for(clusters(600, 3, 1), 30);
  EXPECT_GT(helpful.information, 0);
  EXPECT_EQ(helpful.weights.size(), helpful.error.size());
  // No clusters, and one of ten images has another class than the others: balanced predictions are wrong.
  Images misleading = clusters(600, 0, 1);
  misleading.labels = misleading.views.first.select(1, 10).gt(1.3).to(at::kLong);
  const InformationChoice harmful = choice_for(misleading, 120);
  EXPECT_EQ(harmful.information, 0);
  EXPECT_LT(harmful.error[0], harmful.error[2]);
}

TEST(InformationMaximization, CrossValidationNeedsAnImageToHoldOut) {
  const InformationChoice choice = choice_for(clusters(60, 3, 1), 3);  // one image of each class
  EXPECT_EQ(choice.information, 0);
  EXPECT_THAT(choice.error, testing::Each(0.0));
}

}  // namespace
}  // namespace frgan
