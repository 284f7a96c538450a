#include "frgan/classifier/pixel_classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "frgan/device/random.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {
namespace {

// Noisy images whose brightest quadrant is their class, 0 to 3.
struct Quadrants {
  at::Tensor images, labels;

  explicit Quadrants(int64_t count) {
    images = random_uniform({count, 32, 32, 3}, 0, 150, /*key=*/count, at::kFloat).to(at::kByte);
    labels = at::arange(count, at::kLong).remainder(4);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = 16 * (i % 4 / 2), column = 16 * (i % 2);
      images[i].slice(0, row, row + 16).slice(1, column, column + 16).add_(60);
    }
  }
};

TEST(PixelClassifier, LearnsBrightQuadrants) {
  const Quadrants train(40), test(100);
  const PixelClassifier classifier = fit_pixel_classifier(train.images, train.labels, 4);
  const std::vector<int64_t> predictions = classifier.predict(test.images);
  ASSERT_EQ(predictions.size(), 100U);
  EXPECT_TRUE(at::tensor(predictions).equal(test.labels));
  EXPECT_TRUE(classifier.predict(test.images.slice(0, 0, 0)).empty());
}

TEST(PixelClassifier, SmallImagesAreAverages) {
  const at::Tensor image = at::arange(16 * 16, at::kByte).reshape({1, 16, 16, 1});
  const at::Tensor two = at::cat({image, 255 - image});
  const PixelClassifier classifier = fit_pixel_classifier(two, at::tensor({0, 1}, at::kLong), 2);
  EXPECT_EQ(classifier.weight.sizes(), at::IntArrayRef({2, 64}));
  // The first small pixel is the mean of 0, 1, 16 and 17. The weights of the two classes are opposite.
  EXPECT_LT((classifier.weight[0] + classifier.weight[1]).abs().max().item<float>(), 1e-5);
  EXPECT_EQ(classifier.predict(two), (std::vector<int64_t>{0, 1}));
}

}  // namespace
}  // namespace frgan
