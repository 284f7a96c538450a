#include "frgan/metrics/image_scores.h"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/types.h>

#include "../io/temporary_folder.h"
#include "frgan/data/dataset.h"
#include "frgan/device/random.h"
#include "frgan/io/digests.h"
#include "frgan/metrics/features.h"
#include "frgan/metrics/score_functions.h"

namespace frgan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int64_t kClasses = 3;

// A scorer of 4x4 images. Its logits are the channel means; its features are the channel means and the first pixel.
Scorer channel_scorer() {
  return {"channels", std::string(64, 'c'), kClasses, 6, {"red", "green", "blue"}, [](const at::Tensor& images) {
            const at::Tensor means = images.to(at::kFloat).mean({1, 2});
            return Classified{means, torch::cat({means, images.to(at::kFloat).select(1, 0).select(1, 0)}, 1)};
          }};
}

at::Tensor images(int64_t count, uint64_t key) {
  return random_integers({count, 4, 4, 3}, 0, 256, key, at::kCPU).to(at::kByte);
}

TEST(FeaturesOf, ReturnsDoubleProbabilitiesAndFeatures) {
  const Features features = features_of(channel_scorer(), images(20, 1));
  EXPECT_EQ(features.size(), 20);
  EXPECT_EQ(features.probabilities.scalar_type(), at::kDouble);
  EXPECT_NEAR(features.probabilities.sum(1).sub(1).abs().max().item<double>(), 0, 1e-15);
  EXPECT_EQ(features.features.sizes(), (at::IntArrayRef{20, 6}));
  EXPECT_EQ(features.scorer, "channels");
  const Features subset = features.rows(torch::tensor({int64_t{7}, int64_t{2}}));
  EXPECT_TRUE(subset.features[0].equal(features.features[7]));
  EXPECT_TRUE(subset.probabilities[1].equal(features.probabilities[2]));
}

TEST(FeaturesOf, RejectsNonFiniteOutputs) {
  Scorer scorer = channel_scorer();
  scorer.classify = [](const at::Tensor& batch) {
    return Classified{torch::full({batch.size(0), 3}, std::nan("")), {}};
  };
  EXPECT_EQ(error_of([&] { features_of(scorer, images(2, 1)); }),
            "channels: the scorer's outputs are not finite (NaN or infinite); its weights may be damaged");
}

TEST(CheckClasses, ComparesCountAndNames) {
  Dataset data;
  data.source = "here";
  data.class_names = {"red", "green"};
  EXPECT_THAT(error_of([&] { check_classes(channel_scorer(), data); }),
              StartsWith("channels: the scorer has 3 classes, but here has 2; use a scorer"));
  data.class_names = {"red", "green", "black"};
  EXPECT_THAT(error_of([&] { check_classes(channel_scorer(), data); }), HasSubstr("class 2 is 'black'"));
  data.class_names = {"red", "green", "blue"};
  EXPECT_NO_THROW(check_classes(channel_scorer(), data));
}

TEST(ScoreImages, CombinesTheSingleScores) {
  const Features generated = features_of(channel_scorer(), images(300, 1));
  const Features real = features_of(channel_scorer(), images(200, 2));
  const ImageScores scores = score_images(generated, real, {.splits = 5, .drawn = 100});
  EXPECT_EQ(scores.images, 300);
  EXPECT_EQ(scores.real_images, 200);
  EXPECT_EQ(scores.distances->frechet, frechet_distance(generated.features, real.features));
  EXPECT_EQ(scores.distances->kernel, kernel_distance(generated.features, real.features));
  EXPECT_EQ(scores.distances->drawn, 100);
  EXPECT_EQ(scores.distances->real_drawn, 100);
  const Json json = to_json(scores);
  EXPECT_EQ(json["images_per_split"], 60);
  EXPECT_EQ(json["inception_score"], scores.inception.mean);
  EXPECT_EQ(json["recall"], scores.distances->balls.recall);
  EXPECT_EQ(json["precision_recall_images"], (Json{100, 100}));
  EXPECT_EQ(json["scorer_digest"], std::string(64, 'c'));
  EXPECT_FALSE(to_json(score_images(generated, {})).contains("real_images"));
}

TEST(ScoreImages, ShufflesBySeed) {
  Features sorted = features_of(channel_scorer(), images(90, 1));
  sorted.probabilities = torch::eye(3, at::kDouble).repeat_interleave(30, 0);
  const InceptionScore first = score_images(sorted, {.splits = 3}).inception;
  EXPECT_GT(first.mean, 2.5);  // without shuffling, each split has one class and scores 1
  EXPECT_EQ(score_images(sorted, {.splits = 3}).inception.splits, first.splits);
  EXPECT_NE(score_images(sorted, {.splits = 3, .seed = 2}).inception.splits, first.splits);
  EXPECT_NEAR(score_images(sorted, {.splits = 1, .seed = 2}).inception.mean, 3, 1e-12);
}

TEST(ScoreImages, HandlesIdenticalSetsAndMissingFeatures) {
  Features features = features_of(channel_scorer(), images(200, 1));
  const ImageScores scores = score_images(features, features, {});
  EXPECT_NEAR(scores.distances->frechet, 0, 1e-6);
  EXPECT_EQ(scores.distances->balls.precision, 1);
  EXPECT_EQ(scores.histogram_divergence, 0);
  features.features = at::Tensor();
  EXPECT_FALSE(score_images(features, features, {}).distances.has_value());
}

TEST(Drawn, IsASubsetThatDependsOnTheSeed) {
  const Features all = features_of(channel_scorer(), images(50, 1));
  EXPECT_EQ(drawn(all, 50, 1).size(), 50);
  EXPECT_EQ(drawn(all, 20, 1).size(), 20);
  EXPECT_TRUE(drawn(all, 20, 1).features.equal(drawn(all, 20, 1).features));
  EXPECT_FALSE(drawn(all, 20, 1).features.equal(drawn(all, 20, 2).features));
}

// Networks defined in TorchScript below; tests/cli uses one saved by Python.
class TorchScriptScorer : public testing::Test {
 protected:
  std::string saved(const std::string& body) const {
    torch::jit::Module module("network");
    module.define("def forward(self, x):\n" + body);
    const std::string path = folder_ / "network.pt";
    module.save(path);
    return path;
  }
  std::string error(const std::string& body) const {
    return error_of([&] { torchscript_scorer(saved(body), shape_, at::kCPU); });
  }

  TemporaryFolder folder_;
  ImageShape shape_{16, 3, 3};
};

TEST_F(TorchScriptScorer, ReturnsLogitsAndFeatures) {
  const std::string path = saved("  m = x.mean([2, 3])\n  return 5 * m, x.flatten(1)\n");
  const Scorer scorer = torchscript_scorer(path, shape_, at::kCPU);
  EXPECT_EQ(scorer.classes, 3);
  EXPECT_EQ(scorer.features, 3 * 256);
  EXPECT_EQ(scorer.name, path);
  EXPECT_EQ(scorer.digest, file_digest(path));
  const at::Tensor batch = random_integers({230, 16, 16, 3}, 0, 256, 1, at::kCPU).to(at::kByte);  // several batches
  const Features features = features_of(scorer, batch);
  const at::Tensor unit = batch.to(at::kFloat).permute({0, 3, 1, 2}) / 255;
  EXPECT_TRUE(features.features.equal(unit.flatten(1)));  // 0 to 1, channels first
  EXPECT_TRUE(features.probabilities.allclose((5 * unit.mean({2, 3})).to(at::kDouble).softmax(1), 1e-5, 1e-7));
}

TEST_F(TorchScriptScorer, AcceptsLogitsOnlyAndRepeatsGrayscaleChannels) {
  shape_.channels = 1;
  const Scorer scorer = torchscript_scorer(saved("  return x.mean([2, 3])\n"), shape_, at::kCPU);
  EXPECT_EQ(scorer.classes, 3);
  EXPECT_EQ(scorer.features, 0);
  const Features features = features_of(scorer, torch::full({4, 16, 16, 1}, 51, at::kByte));
  EXPECT_FALSE(features.features.defined());
  EXPECT_TRUE(features.probabilities.allclose(torch::full({4, 3}, 1.0 / 3, at::kDouble)));
}

TEST_F(TorchScriptScorer, RejectsInvalidOutputs) {
  EXPECT_THAT(error("  return x\n"), HasSubstr("network.pt: invalid logits for 2 images: Float 2x3x16x16; must be"));
  EXPECT_THAT(error("  return x.mean([2, 3]).long()\n"), HasSubstr("invalid logits for 2 images: Long 2x3; must be"));
  EXPECT_THAT(error("  return x.mean([2, 3]), x.mean([0])\n"),
              HasSubstr("invalid features for 2 images: Float 3x16x16"));
  EXPECT_THAT(error("  return [x]\n"), HasSubstr("must be logits, or a tuple of logits and features"));
}

TEST_F(TorchScriptScorer, ReportsErrorsInsideTheNetwork) {
  EXPECT_THAT(error("  return x.flatten(1).matmul(x.flatten(1))\n"),
              AllOf(HasSubstr("network.pt: the network fails on float images of 2x3x16x16: RuntimeError: "),
                    HasSubstr("shapes cannot be multiplied")));
}

TEST_F(TorchScriptScorer, RejectsMissingAndInvalidFiles) {
  const std::string path = folder_ / "broken.pt";
  EXPECT_THAT(error_of([&] { torchscript_scorer(path, shape_, at::kCPU); }), HasSubstr("broken.pt: no such file"));
  std::ofstream(path) << "text";
  EXPECT_THAT(error_of([&] { torchscript_scorer(path, shape_, at::kCPU); }),
              HasSubstr("broken.pt: not a TorchScript file (written by torch.jit.save): "));
}

}  // namespace
}  // namespace frgan
