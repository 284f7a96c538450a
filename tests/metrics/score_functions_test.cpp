// Scores of image sets: golden values from numpy and scipy (tests/golden/make_scores.py), and general properties.
#include "frgan/metrics/score_functions.h"

#include <cmath>

#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../golden/golden_file.h"
#include "../io/temporary_folder.h"
#include "frgan/device/random.h"
#include "frgan/metrics/evaluation.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kTolerance = 1e-9;  // absolute; some tests scale it by the size of the value

at::Tensor normal(int64_t count, int64_t size, uint64_t key) {
  return random_normal({count, size}, key, at::TensorOptions(at::kFloat));
}

// Row i has probability 1 for class i % K.
at::Tensor one_hot(int64_t count, int64_t classes) {
  return at::eye(classes).repeat({(count + classes - 1) / classes, 1}).narrow(0, 0, count);
}

class GoldenScores : public testing::Test {
 protected:
  at::Tensor operator[](const std::string& name) const { return golden_[name]; }
  double value(const std::string& name) const { return golden_[name].item<double>(); }

  const GoldenFile golden_{"scores"};
};

TEST_F(GoldenScores, InceptionScore) {
  const at::Tensor probabilities = golden_["probabilities"];
  const InceptionScore score = inception_score(probabilities, 7);
  ASSERT_EQ(score.splits.size(), 7U);
  EXPECT_TRUE(close_to(at::tensor(score.splits, at::kDouble), golden_["inception.splits"], kTolerance));
  EXPECT_NEAR(score.mean, value("inception.mean"), kTolerance);
  EXPECT_NEAR(score.deviation, value("inception.deviation"), kTolerance);
  EXPECT_NEAR(inception_score(probabilities, 1).mean, value("inception.one_split"), kTolerance);
  EXPECT_EQ(inception_score(probabilities, 1).deviation, 0);
}

TEST_F(GoldenScores, Histograms) {
  const at::Tensor counts = golden_["histogram"], real = golden_["real_histogram"];
  EXPECT_THAT(class_histogram(golden_["probabilities"]), testing::ElementsAreArray(values_of(counts)));
  EXPECT_NEAR(histogram_divergence(values_of(counts), values_of(real)), value("histogram.divergence"), kTolerance);
  EXPECT_NEAR(inception_ceiling(values_of(real)), value("ceiling"), kTolerance);
}

TEST_F(GoldenScores, Distances) {
  const at::Tensor x = golden_["x"], y = golden_["y"];
  EXPECT_NEAR(frechet_distance(x, y), value("frechet"), 46 * kTolerance);
  EXPECT_NEAR(frechet_distance(golden_["flat"], golden_["other_flat"]), value("flat.frechet"), 1e-6);
  EXPECT_NEAR(kernel_distance(x, y), value("kernel"), 12 * kTolerance);
  EXPECT_NEAR(kernel_distance_by_pairs(x, y), value("kernel"), 12 * kTolerance);
}

TEST_F(GoldenScores, PrecisionAndRecall) {
  for (const int64_t k : {1, 3}) {
    const PrecisionRecall found = precision_recall(golden_["x"], golden_["y"], k);
    EXPECT_NEAR(found.precision, value(fmt::format("precision_{}", k)), kTolerance);
    EXPECT_NEAR(found.recall, value(fmt::format("recall_{}", k)), kTolerance);
  }
}

TEST(InceptionScoreTest, IsBetweenOneAndTheNumberOfClasses) {
  EXPECT_NEAR(inception_score(one_hot(1000, 10), 10).mean, 10, 1e-12);                 // certain, all classes
  EXPECT_NEAR(inception_score(at::full({100, 10}, 0.1), 10).mean, 1, 1e-12);           // uniform probabilities
  EXPECT_NEAR(inception_score(one_hot(50, 1).mul(at::eye(10)[3]), 5).mean, 1, 1e-12);  // a single class
}

TEST(InceptionScoreTest, IsOneForSplitsOfOneClass) {
  const at::Tensor by_class = one_hot(100, 10).index_select(0, one_hot(100, 10).argmax(1).argsort());
  EXPECT_NEAR(inception_score(by_class, 10).mean, 1, 1e-12);
  EXPECT_NEAR(inception_score(by_class, 1).mean, 10, 1e-12);
  EXPECT_GT(inception_score(by_class.index_select(0, random_permutation(100, 1)), 10).mean, 4);
}

TEST(InceptionScoreTest, RejectsFewerImagesThanSplits) {
  EXPECT_EQ(error_of([] { inception_score(one_hot(9, 3), 10); }),
            "too few images for an Inception Score: 9 images for 10 splits; give more images or --splits 9");
}

TEST(InceptionCeiling, IsTheNumberOfEquallyFrequentClasses) {
  EXPECT_NEAR(inception_ceiling(std::vector<int64_t>{7, 7, 0, 7}), 3, 1e-12);
  EXPECT_NEAR(inception_ceiling(std::vector<int64_t>{5, 0}), 1, 1e-12);
}

TEST(HistogramDivergence, IsInfiniteForAClassMissingInTheRealSet) {
  const std::vector<int64_t> some{3, 0, 1}, all{300, 5, 100};
  EXPECT_EQ(histogram_divergence(all, all), 0);
  EXPECT_TRUE(std::isinf(histogram_divergence(all, some)));
  EXPECT_GT(histogram_divergence(some, all), 0);
}

TEST(FrechetDistance, IsZeroForEqualSetsAndSymmetric) {
  const at::Tensor x = normal(500, 20, 1), y = 2 * normal(400, 20, 2) + 1;
  EXPECT_NEAR(frechet_distance(x, x), 0, 1e-9);
  EXPECT_NEAR(frechet_distance(x, y), frechet_distance(y, x), 1e-9);
  // For a pure shift, the distance is the squared length of the shift.
  EXPECT_NEAR(frechet_distance(x.to(at::kDouble), x.to(at::kDouble) + 0.5), 20 * 0.25, 1e-9);
}

TEST(FrechetDistance, HandlesConstantFeatures) {
  const at::Tensor x = at::cat({normal(100, 4, 1), at::zeros({100, 3})}, 1);
  EXPECT_NEAR(frechet_distance(x, x), 0, 1e-7);
  EXPECT_GE(frechet_distance(x, x), 0);
  EXPECT_NEAR(frechet_distance(at::zeros({100, 3}), at::full({50, 3}, 2.0)), 12, 1e-12);
}

TEST(FrechetDistance, NeedsMoreImagesThanFeatures) {
  EXPECT_NO_THROW(frechet_distance(normal(21, 20, 1), normal(21, 20, 2)));
  EXPECT_EQ(error_of([] { frechet_distance(normal(500, 20, 1), normal(20, 20, 2)); }),
            "too few images for a Frechet distance: 20 images for 20 features; at least 21 are needed, 10,000 or more "
            "are recommended");
}

TEST(KernelDistance, AgreesBetweenMomentsAndPairs) {
  const at::Tensor x = normal(1500, 7, 1), y = normal(1100, 7, 2) + 0.2;  // several blocks per set
  EXPECT_NEAR(kernel_distance_by_moments(x, y), kernel_distance_by_pairs(x, y), 1e-11);
  EXPECT_NEAR(kernel_distance(x, y), kernel_distance(y, x), 1e-12);
}

TEST(KernelDistance, IsUnbiased) {
  // Samples of the same distribution: the mean distance is about 0, and some distances are negative.
  double sum = 0, lowest = 1;
  for (uint64_t key = 0; key < 40; ++key) {
    const double distance = kernel_distance(normal(50, 5, 2 * key), normal(80, 5, 2 * key + 1));
    sum += distance;
    lowest = std::min(lowest, distance);
  }
  EXPECT_NEAR(sum / 40, 0, 0.03);
  EXPECT_LT(lowest, 0);
  EXPECT_GT(kernel_distance(normal(50, 5, 1), normal(80, 5, 2) + 1), 0.5);
}

TEST(KernelDistance, UsesPairsForManyFeatures) {
  const at::Tensor x = normal(40, 300, 1), y = normal(30, 300, 2);
  EXPECT_EQ(kernel_distance(x, y), kernel_distance_by_pairs(x, y));
  EXPECT_EQ(error_of([&] { kernel_distance(x, y.narrow(0, 0, 1)); }),
            "too few images for a kernel distance: 1 in a set; at least 2 are needed");
}

TEST(PrecisionAndRecall, AreOneForEqualSetsAndZeroForDistantSets) {
  const at::Tensor x = normal(700, 6, 1);  // several blocks
  const PrecisionRecall same = precision_recall(x, x);
  EXPECT_EQ(same.precision, 1);
  EXPECT_EQ(same.recall, 1);
  const PrecisionRecall far = precision_recall(x, x + 100);
  EXPECT_EQ(far.precision, 0);
  EXPECT_EQ(far.recall, 0);
}

TEST(PrecisionAndRecall, DistinguishCollapsedFromPoorGenerators) {
  const at::Tensor real = normal(500, 2, 1);
  const PrecisionRecall collapsed = precision_recall(0.05 * normal(500, 2, 2), real);
  EXPECT_GT(collapsed.precision, 0.95);
  EXPECT_LT(collapsed.recall, 0.2);
  const PrecisionRecall poor = precision_recall(10 * normal(500, 2, 3), real);
  EXPECT_LT(poor.precision, 0.3);
  EXPECT_GT(poor.recall, 0.8);
}

TEST(PrecisionAndRecall, NeedMoreImagesThanNeighbors) {
  EXPECT_EQ(error_of([] { precision_recall(normal(3, 2, 1), normal(9, 2, 2)); }),
            "too few images for precision and recall: 3 in a set; 3 nearest neighbors need at least 4");
}

}  // namespace
}  // namespace frgan
