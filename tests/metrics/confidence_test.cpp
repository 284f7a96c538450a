#include "frgan/metrics/confidence.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace frgan {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<ScoredPrediction> predictions(int64_t correct, int64_t wrong, double confidence) {
  std::vector<ScoredPrediction> all(static_cast<size_t>(correct), {confidence, true});
  all.resize(static_cast<size_t>(correct + wrong), {confidence, false});
  return all;
}

TEST(Reliability, CountsEachPredictionInOneBin) {
  const std::vector<ScoredPrediction> some{{0, false}, {0.1, true}, {0.1001, true}, {0.95, false}, {1, true}};
  const std::vector<ReliabilityBin> bins = reliability(some, 10);
  ASSERT_THAT(bins, SizeIs(3));
  EXPECT_EQ(bins[0].images, 2);
  EXPECT_EQ(bins[1].images, 1);
  EXPECT_EQ(bins[2].images, 2);
  EXPECT_DOUBLE_EQ(bins[2].low, 0.9);
  EXPECT_DOUBLE_EQ(bins[2].confidence, 0.975);
  EXPECT_DOUBLE_EQ(bins[2].accuracy, 0.5);
}

TEST(CalibrationError, IsTheMeanGapOfTheBins) {
  EXPECT_EQ(calibration_error(reliability({})), 0);
  EXPECT_NEAR(calibration_error(reliability(predictions(8, 2, 0.8))), 0, 1e-12);
  std::vector<ScoredPrediction> all = predictions(5, 5, 0.9);  // gap 0.4
  for (const ScoredPrediction& sure : predictions(30, 0, 1)) all.push_back(sure);
  EXPECT_NEAR(calibration_error(reliability(all)), 0.4 * 10 / 40, 1e-12);
}

TEST(RiskCoverage, GivesTheErrorOfTheMostConfidentImages) {
  const std::vector<ScoredPrediction> some{{0.2, false}, {0.9, true}, {0.5, false}, {0.7, true}};
  const std::vector<CoveragePoint> curve = risk_coverage(some);
  ASSERT_THAT(curve, SizeIs(4));
  EXPECT_DOUBLE_EQ(curve[2].threshold, 0.5);
  EXPECT_DOUBLE_EQ(curve[2].coverage, 0.75);
  EXPECT_DOUBLE_EQ(curve[2].risk, 1.0 / 3);
  EXPECT_DOUBLE_EQ(curve[3].coverage, 1);
  EXPECT_DOUBLE_EQ(curve[3].risk, 0.5);
  EXPECT_THAT(risk_coverage({}), IsEmpty());
}

TEST(RiskCoverage, EqualConfidencesAreOnePoint) {
  EXPECT_THAT(risk_coverage(predictions(3, 1, 0.5)), SizeIs(1));
}

TEST(RiskCoverage, IsThinned) {
  std::vector<ScoredPrediction> many;
  for (int i = 0; i < 10'000; ++i) many.push_back({i / 1e4, i % 3 == 0});
  const std::vector<CoveragePoint> curve = risk_coverage(many, 50);
  EXPECT_LE(curve.size(), 52U);
  EXPECT_DOUBLE_EQ(curve.back().coverage, 1);
}

TEST(Auroc, IsTheShareOfOrderedPairs) {
  EXPECT_DOUBLE_EQ(auroc(std::vector<double>{3, 4}, std::vector<double>{1, 2}), 1);
  EXPECT_DOUBLE_EQ(auroc(std::vector<double>{1, 2}, std::vector<double>{3, 4}), 0);
  EXPECT_DOUBLE_EQ(auroc(std::vector<double>{1, 3}, std::vector<double>{2}), 0.5);
  EXPECT_DOUBLE_EQ(auroc(std::vector<double>{1, 1}, std::vector<double>{1}), 0.5);
  EXPECT_TRUE(std::isnan(auroc({}, std::vector<double>{1})));
}

// scipy.stats.beta.ppf(0.95, k + 1, n - k)
TEST(UpperErrorBound, MatchesTheBetaQuantile) {
  EXPECT_NEAR(upper_error_bound(0, 59), 0.0495076, 1e-6);
  EXPECT_NEAR(upper_error_bound(1, 59), 0.0778979, 1e-6);
  EXPECT_NEAR(upper_error_bound(5, 100), 0.1022534, 1e-6);
  EXPECT_NEAR(upper_error_bound(120, 5000, 0.99), 0.0295267, 1e-6);
  EXPECT_EQ(upper_error_bound(3, 3), 1);
  EXPECT_EQ(upper_error_bound(0, 0), 1);
}

TEST(ImagesToCertify, NeedsMoreImagesForASmallerError) {
  EXPECT_EQ(images_to_certify(0.05), 59);
  EXPECT_EQ(images_to_certify(0.1), 29);
  EXPECT_EQ(images_to_certify(0.01), 299);
}

TEST(CertifiedThreshold, NeedsEnoughImagesWithoutAnError) {
  EXPECT_FALSE(certified_threshold(predictions(58, 0, 0.9), 0.05));
  const auto found = certified_threshold(predictions(59, 0, 0.9), 0.05);
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->threshold, 0.9);
  EXPECT_EQ(found->images, 59);
  EXPECT_LE(found->bound, 0.05);
  EXPECT_FALSE(certified_threshold({}, 0.05));
}

TEST(CertifiedThreshold, StopsBeforeTheImagesWithErrors) {
  std::vector<ScoredPrediction> all;
  for (int i = 0; i < 200; ++i) all.push_back({1 - i / 1000.0, true});          // down to 0.801
  for (int i = 0; i < 200; ++i) all.push_back({0.8 - i / 1000.0, i % 2 == 0});  // half of them wrong
  const auto found = certified_threshold(all, 0.05);
  ASSERT_TRUE(found);
  EXPECT_LT(found->threshold, 0.83);
  EXPECT_GT(found->threshold, 0.75);
  EXPECT_LE(upper_error_bound(found->wrong, found->images), 0.05);
}

TEST(CertifiedThreshold, AcceptsAllImagesOfAGoodClassifier) {
  std::vector<ScoredPrediction> all;
  for (int i = 0; i < 1000; ++i) all.push_back({1 - i / 2000.0, i % 50 != 49});  // 2 % wrong
  const auto found = certified_threshold(all, 0.05);
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->coverage, 1);
}

// Of classifiers whose error is above 5 % at every threshold, at most 5 % may be certified.
TEST(CertifiedThreshold, KeepsItsConfidence) {
  uint64_t state = 1;
  const auto random = [&] {  // xorshift64*, 0 to 1
    state ^= state >> 12U;
    state ^= state << 25U;
    state ^= state >> 27U;
    return static_cast<double>((state * 0x2545F4914F6CDD1DULL) >> 11U) / 0x1p53;
  };
  int certified = 0;
  constexpr int kTrials = 2000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<ScoredPrediction> all;
    for (int i = 0; i < 300; ++i) all.push_back({random(), random() >= 0.0501});
    certified += certified_threshold(all, 0.05) ? 1 : 0;
  }
  EXPECT_LE(certified, 0.065 * kTrials);
  EXPECT_GE(certified, 0.02 * kTrials);  // and is not needlessly strict
}

}  // namespace
}  // namespace frgan
