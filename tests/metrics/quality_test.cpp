#include "frgan/metrics/quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Outputs for images of three classes in turn. The network predicts the label, except for every `wrong_each`-th image,
// whose second most probable class is the label.
struct Example {
  std::vector<float> logits;
  std::vector<int64_t> labels;

  Example(int64_t images, int64_t wrong_each) {
    for (int64_t i = 0; i < images; ++i) {
      const int64_t label = i % 3;
      std::vector<float> row{0, 0, 0};
      row[static_cast<size_t>(label)] = 4;
      if (i % wrong_each == 0) row[static_cast<size_t>((label + 1) % 3)] = 5;
      logits.insert(logits.end(), row.begin(), row.end());
      labels.push_back(label);
    }
  }
  Outputs outputs() const { return {logits, labels, 3}; }
};

QualityBasis basis_of(const Example& example) {
  return {.class_names = {"ant", "bee", "cat"},
          .label_counts = {10, 20, 10},
          .pixel_predictions = std::vector<int64_t>(example.labels.size(), 2),
          .pixel_side = 8,
          .labeled_error = 0.0};
}

TEST(MacroF1, IsTheMeanOverTheClasses) {
  // Class 0: 2 TP, 1 FN, 1 FP; class 1: 3 TP, 1 FN, 1 FP; class 2 never occurs.
  EXPECT_DOUBLE_EQ(macro_f1({{2, 1, 0}, {1, 3, 0}, {0, 0, 0}}), (4.0 / 6 + 6.0 / 8) / 2);
}

TEST(Quality, MeasuresErrorsAndConfidence) {
  const Example example(300, 10);
  const Quality quality = measure_quality(example.outputs(), EvaluatedImages::kTest, basis_of(example));
  EXPECT_EQ(quality.count.images, 300);
  EXPECT_EQ(quality.count.wrong, 30);
  EXPECT_EQ(quality.top, 2);
  EXPECT_EQ(quality.top_error, 0);  // the label is always among the two most probable classes
  EXPECT_GT(quality.auroc, 0.9);    // wrong predictions are less confident
  EXPECT_DOUBLE_EQ(quality.risk_coverage.back().risk, 0.1);
  EXPECT_THAT(quality.warnings, IsEmpty());
}

TEST(Quality, ComparesWithBaselines) {
  const Example example(300, 10);
  const Quality quality = measure_quality(example.outputs(), EvaluatedImages::kTest, basis_of(example));
  ASSERT_EQ(quality.baselines.size(), 3U);
  EXPECT_EQ(quality.baselines[0].name, "guessing");
  EXPECT_DOUBLE_EQ(quality.baselines[0].error, 2.0 / 3);
  EXPECT_EQ(quality.baselines[1].name, "always 'bee'");
  EXPECT_DOUBLE_EQ(quality.baselines[1].error, 2.0 / 3);
  EXPECT_EQ(quality.baselines[2].name, "linear classifier on 8x8 pixels");
  for (const Baseline& baseline : quality.baselines) EXPECT_TRUE(baseline.is_beaten) << baseline.name;
}

TEST(Quality, WarnsIfABaselineIsAsGood) {
  const Example example(30, 1);  // all wrong
  const Quality quality = measure_quality(example.outputs(), EvaluatedImages::kDev, basis_of(example));
  EXPECT_THAT(quality.warnings,
              Contains(HasSubstr("the dev error (100.00 % of 30 images) is not lower, with 95 % confidence, than that "
                                 "of guessing (66.67 %) or always 'bee' (66.67 %) or linear classifier")));
  EXPECT_THAT(quality_text(quality), HasSubstr("\nwarning: the dev error"));
}

TEST(Quality, WarnsOfMemorizedLabels) {
  const Example example(100, 2);
  QualityBasis basis = basis_of(example);
  const auto warnings = [&] { return measure_quality(example.outputs(), EvaluatedImages::kTest, basis).warnings; };
  EXPECT_THAT(warnings(), Contains(HasSubstr("the network memorized the labeled images (error 0.00 %), but the test "
                                             "error is 50.00 %")));
  basis.labeled_error = 0.1;
  EXPECT_THAT(warnings(), Not(Contains(HasSubstr("memorized"))));
}

TEST(Quality, WarnsOfClassesWithFewLabels) {
  const Example example(300, 10);
  QualityBasis basis = basis_of(example);
  basis.label_counts = {3, 5, 1};
  EXPECT_THAT(measure_quality(example.outputs(), EvaluatedImages::kTest, basis).warnings,
              ElementsAre("2 classes have fewer than 5 labels: 'ant' (3), 'cat' (1); add labels"));
}

TEST(Quality, TemperatureChangesConfidenceOnly) {
  const Example example(300, 10);
  QualityBasis basis = basis_of(example);
  basis.calibration = {.temperature = 2.5, .images = "development images", .held_out = {{0.9, true}}};
  const Quality quality = measure_quality(example.outputs(), EvaluatedImages::kTest, basis);
  EXPECT_EQ(quality.count.wrong, 30);
  EXPECT_NE(quality.calibrated.error, quality.uncalibrated.error);
  EXPECT_EQ(quality.calibration_images, 1);
  EXPECT_THAT(quality_text(quality), HasSubstr("calibration temperature 2.50, fitted to 1 development images"));
}

TEST(QualityJson, RestoresAllFields) {
  const Example example(30, 3);
  QualityBasis basis = basis_of(example);
  basis.label_counts = {3, 5, 5};
  const Quality first = measure_quality(example.outputs(), EvaluatedImages::kDev, basis);
  const Quality second = quality_from_json(to_json(first), "quality.json");
  EXPECT_EQ(to_json(second), to_json(first));
  EXPECT_EQ(quality_text(second), quality_text(first));
  EXPECT_EQ(second.role, EvaluatedImages::kDev);
}

TEST(QualityJson, NamesAMissingKey) {
  EXPECT_THAT(
      [] {
        quality_from_json({{"role", "test"}}, "quality.json");
      },
      testing::ThrowsMessage<Error>(HasSubstr("quality.json: invalid file")));
}

}  // namespace
}  // namespace frgan
