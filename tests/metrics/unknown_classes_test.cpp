#include "frgan/metrics/unknown_classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

namespace frgan {
namespace {

TEST(ClassMeans, AreUnitVectors) {
  const at::Tensor features = at::tensor({3.0, 0.0, 0.0, 5.0, 1.0, 1.0}).reshape({3, 2});
  const at::Tensor means = class_means(features, at::tensor({0, 1, 1}, at::kLong), 3);
  EXPECT_NEAR(means[0][0].item<double>(), 1, 1e-12);
  EXPECT_NEAR(means[1].norm().item<double>(), 1, 1e-12);
  EXPECT_GT(means[1][1].item<double>(), means[1][0].item<double>());
  EXPECT_EQ(means[2].abs().sum().item<double>(), 0);
}

// Known images have one large logit and features near a mean. Unknown images have small logits and other features.
TEST(UnknownScores, SeparateOtherClasses) {
  const at::Tensor means = at::eye(3, at::kDouble).slice(0, 0, 2);
  const Classified known{at::tensor({9.0F, 0.0F, 0.0F, 8.0F}).reshape({2, 2}),
                         at::tensor({2.0F, 0.1F, 0.0F, 0.0F, 3.0F, 0.1F}).reshape({2, 3})};
  const Classified unknown{at::tensor({1.0F, 0.0F, -1.0F, 0.5F}).reshape({2, 2}),
                           at::tensor({0.1F, 0.1F, 2.0F, 1.0F, 1.0F, 9.0F}).reshape({2, 3})};
  const std::vector<UnknownScore> scores = unknown_scores(known, unknown, 1, means);
  ASSERT_EQ(scores.size(), 3U);
  for (const UnknownScore& score : scores) EXPECT_DOUBLE_EQ(score.auroc, 1) << score.name;
  for (const UnknownScore& score : unknown_scores(unknown, known, 1, means)) EXPECT_DOUBLE_EQ(score.auroc, 0);
  EXPECT_EQ(unknown_scores(known, unknown, 1, {}).size(), 2U);
}

// A large shift of all logits changes the energy, but not the softmax.
TEST(UnknownScores, EnergySeesTheSizeOfTheLogits) {
  const Classified known{at::tensor({11.0F, 10.0F}).reshape({1, 2}), at::zeros({1, 2})};
  const Classified unknown{at::tensor({1.0F, 0.0F}).reshape({1, 2}), at::zeros({1, 2})};
  const std::vector<UnknownScore> scores = unknown_scores(known, unknown, 2, {});
  EXPECT_DOUBLE_EQ(scores[0].auroc, 0.5);
  EXPECT_DOUBLE_EQ(scores[1].auroc, 1);
}

}  // namespace
}  // namespace frgan
