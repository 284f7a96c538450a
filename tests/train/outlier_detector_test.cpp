#include "frgan/train/outlier_detector.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <torch/types.h>

namespace frgan {
namespace {

// Loss and gradient norm of an ordinary update: both have mean 2 and standard deviation 1 over the window.
double ordinary(int64_t update) {
  return 2 + (update % 2 == 0 ? 1 : -1);
}

struct Detection {
  explicit Detection(double limit) : detector(limit, at::TensorOptions()) {}
  bool add(double loss, double norm) {
    return detector.is_outlier(updates++, at::scalar_tensor(loss), at::scalar_tensor(norm)).item<bool>();
  }
  void fill() {
    while (updates < OutlierDetector::kWindow) EXPECT_FALSE(add(ordinary(updates), ordinary(updates)));
  }
  OutlierDetector detector;
  int64_t updates = 0;
};

TEST(OutlierDetector, ComparesTheZScoreWithTheLimit) {
  for (const auto& [loss, norm, expected] :
       {std::tuple(6.9, 2.0, false), {7.1, 2.0, true}, {2.0, 7.1, true}, {2.0, 6.9, false}, {-100.0, -100.0, false}}) {
    Detection detection(5);
    detection.fill();
    EXPECT_EQ(detection.add(loss, norm), expected) << loss << " " << norm;
  }
}

TEST(OutlierDetector, NeedsAFullWindow) {
  Detection detection(3);
  for (int i = 0; i < OutlierDetector::kWindow - 1; ++i) detection.add(1, 1);
  EXPECT_FALSE(detection.add(1e6, 1e6));
}

TEST(OutlierDetector, AnOutlierEntersTheWindow) {
  Detection detection(5);
  detection.fill();
  EXPECT_TRUE(detection.add(20, 2));
  EXPECT_FALSE(detection.add(8, 2)) << "the standard deviation is larger now";
  for (int i = 0; i < 128; ++i) detection.add(ordinary(detection.updates), ordinary(detection.updates));
  EXPECT_TRUE(detection.add(8, 2)) << "the outlier has left the window";
}

TEST(OutlierDetector, NonFiniteValuesDoNotEnterTheWindow) {
  Detection detection(5);
  detection.fill();
  EXPECT_FALSE(detection.add(std::nan(""), 2));
  EXPECT_TRUE(detection.add(2, std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(detection.add(3, 3));
  EXPECT_TRUE(detection.add(20, 2)) << "values that are not finite do not enter the window";
}

TEST(OutlierDetector, RoundingIsNoOutlierInAConstantWindow) {
  for (const double mean : {1.0, -1.0}) {
    Detection constant(5);
    while (constant.updates < OutlierDetector::kWindow) constant.add(mean, 1);
    EXPECT_FALSE(constant.add(mean, 1)) << mean;
    EXPECT_FALSE(constant.add(mean + 1e-6, 1)) << mean;
    EXPECT_FALSE(constant.add(mean + 0.04, 1)) << mean << ": less than 5 times 1 % of the mean";
    EXPECT_TRUE(constant.add(mean + 0.06, 1)) << mean;
  }
}

}  // namespace
}  // namespace frgan
