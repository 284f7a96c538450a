#include "frgan/metrics/evaluation.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/classifier/inference.h"
#include "frgan/device/random.h"
#include "frgan/nn/discriminator.h"

namespace frgan {
namespace {

using testing::ElementsAre;

TEST(MostProbable, IsTheArgmaxOfEachRow) {
  EXPECT_THAT(most_probable(at::tensor({0.1F, 0.7F, 0.2F, 0.5F, 0.2F, 0.3F}).reshape({2, 3})), ElementsAre(1, 0));
}

TEST(ValuesOf, ReturnsAViewWithoutCopying) {
  const at::Tensor labels = at::tensor({int64_t{3}, int64_t{-1}});
  EXPECT_THAT(values_of(labels), ElementsAre(3, -1));
  EXPECT_EQ(values_of(labels).data(), labels.data_ptr<int64_t>());
}

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() {
    const torch::NoGradGuard no_grad;
    network_.named_parameters()["dense.gain"].fill_(5);  // so that predictions differ between images
    set_.images = random_integers({1100, 16, 16, 3}, 0, 256, /*key=*/7, at::kCPU).to(at::kByte);
    set_.labels = class_probabilities(network_, set_.images, Precision::kFull).argmax(1);
  }
  Discriminator network_{{.width = 1.0 / 16, .se_reduction = 1}, {16, 3, 4}, 1};
  ImageSet set_;
};

TEST_F(EvaluateTest, CountsMisclassifiedImages) {
  EXPECT_EQ(evaluate(network_, set_, Precision::kFull).all.wrong, 0);
  for (const int64_t row : {int64_t{0}, int64_t{1099}}) {
    set_.labels[row] = (set_.labels[row] + 1) % 4;
  }
  const Classification result = evaluate(network_, set_, Precision::kFull);
  EXPECT_EQ(result.all.images, 1100);
  EXPECT_EQ(result.all.wrong, 2);
  EXPECT_EQ(result.classes.size(), 4U);
}

TEST_F(EvaluateTest, StopsBetweenBatches) {
  int calls = 0;
  try {
    evaluate(network_, set_, Precision::kFull, [&] { return ++calls == 2; });
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStopped);
  }
  EXPECT_EQ(calls, 2);
}

TEST_F(EvaluateTest, RejectsUnknownLabels) {
  set_.labels[17] = -1;
  EXPECT_EQ(error_of([&] { evaluate(network_, set_, Precision::kFull); }),
            "the label of image 17 is -1: must be 0 to 3");
}

}  // namespace
}  // namespace frgan
