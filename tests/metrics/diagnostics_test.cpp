#include "frgan/metrics/diagnostics.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include "frgan/classifier/inference.h"
#include "frgan/device/random.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/nn/discriminator.h"

namespace frgan {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::SizeIs;

class Diagnose : public testing::Test {
 protected:
  // 2049 images are several batches, the last of one image.
  Diagnose() {
    set.images = random_integers({2049, 16, 16, 3}, 0, 256, /*key=*/7, at::kCPU).to(at::kByte);
    set.labels = random_integers({2049}, 0, 3, /*key=*/8, at::kCPU);
  }
  NetworkPtr make(SePosition se_position) const {
    return std::make_shared<Discriminator>(
        NetworkOptions{.width = 1.0 / 16, .se_position = se_position, .se_reduction = 1, .se_bias = true},
        ImageShape{16, 3, 4}, 1);
  }
  ImageSet set;
};

TEST_F(Diagnose, PredictsTheMostProbableClass) {
  const auto network = make(SePosition::kBlock2);
  const Diagnosis found = diagnose(*network, set, Precision::kFull);
  const at::Tensor probabilities = class_probabilities(*network, set.images, Precision::kFull);
  EXPECT_THAT(found.predictions, ElementsAreArray(most_probable(probabilities)));
  EXPECT_EQ(found.probabilities[2048], probabilities[2048].max().item<float>());
}

TEST_F(Diagnose, ComputesGateStatisticsOverAllImages) {
  const auto network = make(SePosition::kBlock2);
  at::Tensor all;
  const auto squeeze = network->named_children()["se_block2"]->as<SqueezeExcitationImpl>();
  squeeze->gate_observer = [&](const at::Tensor& gate) { all = all.defined() ? at::cat({all, gate}) : gate; };
  class_probabilities(*network, set.images, Precision::kFull);
  all = all.narrow(0, 0, 2049).to(at::kDouble);
  const Diagnosis found = diagnose(*network, set, Precision::kFull);
  ASSERT_THAT(found.gates, SizeIs(1));
  const GateStatistics& gate = found.gates[0];
  EXPECT_EQ(gate.block, "se_block2");
  ASSERT_THAT(gate.mean, SizeIs(8));
  ASSERT_THAT(gate.class_mean, SizeIs(4));
  for (int64_t channel = 0; channel < 8; ++channel) {
    const auto c = static_cast<size_t>(channel);
    EXPECT_NEAR(gate.mean[c], all.select(1, channel).mean().item<double>(), 1e-9);
    EXPECT_NEAR(gate.deviation[c], all.select(1, channel).std(/*unbiased=*/false).item<double>(), 1e-6);
    EXPECT_NEAR(gate.class_mean[1][c], all.index({set.labels == 1}).select(1, channel).mean().item<double>(), 1e-9);
    EXPECT_NEAR(gate.class_deviation[1][c],
                all.index({set.labels == 1}).select(1, channel).std(/*unbiased=*/false).item<double>(), 1e-6);
    EXPECT_EQ(gate.class_mean[3][c], 0);  // a class without images
    EXPECT_EQ(gate.class_deviation[3][c], 0);
  }
  EXPECT_FALSE(squeeze->gate_observer);  // the observer was removed
}

TEST_F(Diagnose, ReportsOneGatePerBlock) {
  EXPECT_THAT(diagnose(*make(SePosition::kNone), set, Precision::kFull).gates, IsEmpty());
  EXPECT_THAT(diagnose(*make(SePosition::kAll), set, Precision::kFull).gates, SizeIs(3));
}

TEST_F(Diagnose, ConstantGateHasZeroDeviation) {
  const auto network = make(SePosition::kBlock2);
  const torch::NoGradGuard no_grad;
  network->named_parameters()["se_block2.excite_weight"].zero_();
  const GateStatistics gate = diagnose(*network, set, Precision::kFull).gates.at(0);
  EXPECT_EQ(gate.mean[0], 0.5);
  EXPECT_EQ(gate.deviation[0], 0);
}

}  // namespace
}  // namespace frgan
