#include "frgan/classifier/calibration.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Two classes: `images` images with logits (margin, 0), of which a share has the label 0.
HeldOutLogits two_classes(int64_t images, double margin, double share) {
  HeldOutLogits held_out{.classes = 2};
  for (int64_t i = 0; i < images; ++i) {
    held_out.logits.insert(held_out.logits.end(), {margin, 0});
    held_out.labels.push_back(static_cast<double>(i) < share * static_cast<double>(images) ? 0 : 1);
  }
  return held_out;
}

TEST(FitTemperature, MakesConfidenceEqualAccuracy) {
  const HeldOutLogits held_out = two_classes(100'000, 8, 0.75);
  // softmax((8, 0) / T) = 3/4 for T = 8 / ln 3; the additional image hardly changes it
  EXPECT_NEAR(fit_temperature(held_out), 8 / std::log(3.0), 1e-3);
}

TEST(FitTemperature, FewCorrectImagesGiveNoCertainty) {
  const double temperature = fit_temperature(two_classes(10, 1, 1));
  EXPECT_NEAR(probabilities_at(std::vector<double>{1, 0}, temperature)[0], 10.5 / 11, 1e-6);
}

TEST(FitTemperature, IsLimited) {
  EXPECT_NEAR(fit_temperature(two_classes(100, 1, 0.1)), 20, 1e-6);  // worse than guessing
  EXPECT_NEAR(fit_temperature(two_classes(100'000, 0.1, 1)), 1.0 / 20, 1e-6);
  EXPECT_EQ(fit_temperature({.classes = 3}), 1);
}

TEST(Calibrate, SortsThePredictions) {
  const Calibration found = calibrate({{1, 0, 0, 3, 2, 0}, {1, 1, 0}, 2}, "development images");
  ASSERT_EQ(found.held_out.size(), 3U);
  EXPECT_GT(found.held_out[0].confidence, found.held_out[1].confidence);
  EXPECT_TRUE(found.held_out[0].correct);   // (0, 3)
  EXPECT_TRUE(found.held_out[1].correct);   // (2, 0)
  EXPECT_FALSE(found.held_out[2].correct);  // (1, 0) with label 1
}

TEST(Calibrate, NoConfidenceIsRoundedUp) {
  const std::vector<double> logits{12, 0};
  const Calibration found = calibrate({logits, {0}, 2}, "development images");
  const double probability = probabilities_at(logits, found.temperature)[0];
  EXPECT_LE(found.held_out[0].confidence, probability);
  EXPECT_GT(found.held_out[0].confidence, probability - 1e-4);
  HeldOutLogits certain = two_classes(100'000, 12, 1);
  EXPECT_EQ(calibrate(certain, "development images").held_out[0].confidence, 0.9999);
}

TEST(CalibrationJson, RestoresAllFields) {
  const Calibration first = calibrate({{1, 0, 0, 3, 2, 0}, {1, 1, 0}, 2}, "development images");
  const Calibration second = calibration_from_json(to_json(first), "state.json");
  EXPECT_DOUBLE_EQ(second.temperature, first.temperature);
  EXPECT_EQ(second.images, first.images);
  ASSERT_EQ(second.held_out.size(), 3U);
  EXPECT_DOUBLE_EQ(second.held_out[1].confidence, first.held_out[1].confidence);
  EXPECT_FALSE(second.held_out[2].correct);
}

TEST(CalibrationJson, NullIsNotFitted) {
  EXPECT_TRUE(to_json(Calibration()).is_null());
  EXPECT_FALSE(calibration_from_json(Json(), "state.json").is_fitted());
}

TEST(CalibrationJson, RejectsInvalidValues) {
  Json json = to_json(calibrate({{1, 0}, {0}, 2}, "development images"));
  json["temperature"] = 0;
  EXPECT_THAT([&] { calibration_from_json(json, "state.json"); },
              ThrowsMessage<Error>(HasSubstr("state.json: invalid calibration: temperature 0")));
  json = {{"temperature", 1.0}};
  EXPECT_THAT([&] { calibration_from_json(json, "state.json"); },
              ThrowsMessage<Error>(HasSubstr("state.json: invalid calibration")));
}

}  // namespace
}  // namespace frgan
