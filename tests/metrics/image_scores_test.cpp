#include "frgan/metrics/image_scores.h"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/types.h>

#include "../io/temporary_folder.h"
#include "frgan/core/random.h"
#include "frgan/io/digests.h"
#include "frgan/metrics/frechet_distance.h"
#include "frgan/metrics/kernel_distance.h"

namespace frgan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int64_t kClasses = 3;

// A scorer of 4x4 images: logits are the means of the three colours, features those and the first pixel.
Scorer colours() {
  return {"colours", std::string(64, 'c'), kClasses, 6, {"red", "green", "blue"}, [](const at::Tensor& images) {
            const at::Tensor means = images.to(at::kFloat).mean({1, 2});
            return Classified{means, torch::cat({means, images.to(at::kFloat).select(1, 0).select(1, 0)}, 1)};
          }};
}

at::Tensor images(int64_t count, uint64_t key) {
  return random_integers({count, 4, 4, 3}, 0, 256, key, at::kCPU).to(at::kByte);
}

TEST(FeaturesOf, AreProbabilitiesInDoublePrecisionAndFeatures) {
  const Features features = features_of(colours(), images(20, 1));
  EXPECT_EQ(features.size(), 20);
  EXPECT_EQ(features.probabilities.scalar_type(), at::kDouble);
  EXPECT_NEAR(features.probabilities.sum(1).sub(1).abs().max().item<double>(), 0, 1e-15);
  EXPECT_EQ(features.features.sizes(), (at::IntArrayRef{20, 6}));
  EXPECT_EQ(features.scorer, "colours");
  const Features some = features.rows(torch::tensor({int64_t{7}, int64_t{2}}));
  EXPECT_TRUE(some.features[0].equal(features.features[7]));
  EXPECT_TRUE(some.probabilities[1].equal(features.probabilities[2]));
}

TEST(FeaturesOf, RefusesNumbersThatAreNotFinite) {
  Scorer scorer = colours();
  scorer.look = [](const at::Tensor& some) { return Classified{torch::full({some.size(0), 3}, std::nan("")), {}}; };
  EXPECT_EQ(error_of([&] { features_of(scorer, images(2, 1)); }),
            "colours: gives numbers that are not finite; are its weights damaged?");
}

TEST(CheckClasses, ComparesNumberAndNames) {
  Dataset data;
  data.source = "here";
  data.class_names = {"red", "green"};
  EXPECT_THAT(error_of([&] { check_classes(colours(), data); }),
              StartsWith("colours: tells 3 classes apart, here has 2; give a scorer"));
  data.class_names = {"red", "green", "black"};
  EXPECT_THAT(error_of([&] { check_classes(colours(), data); }), HasSubstr("class 2 is 'black'"));
  data.class_names = {"red", "green", "blue"};
  EXPECT_NO_THROW(check_classes(colours(), data));
}

TEST(ScoreImages, AreTheScoresOfTheFeatures) {
  const Features generated = features_of(colours(), images(300, 1)), real = features_of(colours(), images(200, 2));
  const ImageScores scores = score_images(generated, real, {.splits = 5, .drawn = 100});
  EXPECT_EQ(scores.images, 300);
  EXPECT_EQ(scores.real_images, 200);
  EXPECT_EQ(scores.distances->frechet, frechet_distance(generated.features, real.features));
  EXPECT_EQ(scores.distances->kernel, kernel_distance(generated.features, real.features));
  EXPECT_EQ(scores.distances->drawn, 100);
  EXPECT_EQ(scores.distances->real_drawn, 100);
  const nlohmann::ordered_json json = to_json(scores);
  EXPECT_EQ(json["images_per_split"], 60);
  EXPECT_EQ(json["inception_score"], scores.inception.mean);
  EXPECT_EQ(json["recall"], scores.distances->balls.recall);
  EXPECT_EQ(json["precision_recall_images"], (nlohmann::json{100, 100}));
  EXPECT_EQ(json["scorer_digest"], std::string(64, 'c'));
  EXPECT_FALSE(to_json(score_images(generated, {})).contains("real_images"));
}

TEST(ScoreImages, ShufflesBySeed) {
  Features sorted = features_of(colours(), images(90, 1));
  sorted.probabilities = torch::eye(3, at::kDouble).repeat_interleave(30, 0);
  const InceptionScore first = score_images(sorted, {.splits = 3}).inception;
  EXPECT_GT(first.mean, 2.5);  // in their order each split has one class, and scores 1
  EXPECT_EQ(score_images(sorted, {.splits = 3}).inception.splits, first.splits);
  EXPECT_NE(score_images(sorted, {.splits = 3, .seed = 2}).inception.splits, first.splits);
  EXPECT_NEAR(score_images(sorted, {.splits = 1, .seed = 2}).inception.mean, 3, 1e-12);
}

TEST(ScoreImages, AreTheSameForTheSameAndOfNoFeatures) {
  Features some = features_of(colours(), images(200, 1));
  const ImageScores scores = score_images(some, some, {});
  EXPECT_NEAR(scores.distances->frechet, 0, 1e-6);
  EXPECT_EQ(scores.distances->balls.precision, 1);
  EXPECT_EQ(scores.histogram_divergence, 0);
  some.features = at::Tensor();
  EXPECT_FALSE(score_images(some, some, {}).distances.has_value());
}

TEST(Drawn, IsASubsetBySeed) {
  const Features all = features_of(colours(), images(50, 1));
  EXPECT_EQ(drawn(all, 50, 1).size(), 50);
  EXPECT_EQ(drawn(all, 20, 1).size(), 20);
  EXPECT_TRUE(drawn(all, 20, 1).features.equal(drawn(all, 20, 1).features));
  EXPECT_FALSE(drawn(all, 20, 1).features.equal(drawn(all, 20, 2).features));
}

// Networks that are written here as TorchScript; tests/cli has one that Python made.
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

TEST_F(TorchScriptScorer, GivesLogitsAndFeatures) {
  const std::string path = saved("  m = x.mean([2, 3])\n  return 5 * m, x.flatten(1)\n");
  const Scorer scorer = torchscript_scorer(path, shape_, at::kCPU);
  EXPECT_EQ(scorer.classes, 3);
  EXPECT_EQ(scorer.features, 3 * 256);
  EXPECT_EQ(scorer.name, path);
  EXPECT_EQ(scorer.digest, file_digest(path, DigestKind::kSha256));
  const at::Tensor some = random_integers({230, 16, 16, 3}, 0, 256, 1, at::kCPU).to(at::kByte);  // several batches
  const Features features = features_of(scorer, some);
  const at::Tensor unit = some.to(at::kFloat).permute({0, 3, 1, 2}) / 255;
  EXPECT_TRUE(features.features.equal(unit.flatten(1)));  // 0 to 1, channels first
  EXPECT_TRUE(features.probabilities.allclose((5 * unit.mean({2, 3})).to(at::kDouble).softmax(1), 1e-5, 1e-7));
}

TEST_F(TorchScriptScorer, MayGiveLogitsAloneAndSeesGreyInThreeChannels) {
  shape_.channels = 1;
  const Scorer scorer = torchscript_scorer(saved("  return x.mean([2, 3])\n"), shape_, at::kCPU);
  EXPECT_EQ(scorer.classes, 3);
  EXPECT_EQ(scorer.features, 0);
  const Features features = features_of(scorer, torch::full({4, 16, 16, 1}, 51, at::kByte));
  EXPECT_FALSE(features.features.defined());
  EXPECT_TRUE(features.probabilities.allclose(torch::full({4, 3}, 1.0 / 3, at::kDouble)));
}

TEST_F(TorchScriptScorer, RefusesOtherOutputs) {
  EXPECT_THAT(error("  return x\n"), HasSubstr("network.pt: logits of 2 images are Float of 2x3x16x16, expected"));
  EXPECT_THAT(error("  return x.mean([2, 3]).long()\n"), HasSubstr("logits of 2 images are Long of 2x3, expected"));
  EXPECT_THAT(error("  return x.mean([2, 3]), x.mean([0])\n"), HasSubstr("features of 2 images are Float of 3x16x16"));
  EXPECT_THAT(error("  return [x]\n"), HasSubstr("expected logits, or a tuple of logits and features"));
}

TEST_F(TorchScriptScorer, NamesWhatFailsWithin) {
  EXPECT_THAT(error("  return x.flatten(1).matmul(x.flatten(1))\n"),
              AllOf(HasSubstr("network.pt: fails on float images of 2x3x16x16: RuntimeError: "),
                    HasSubstr("shapes cannot be multiplied")));
}

TEST_F(TorchScriptScorer, RefusesWhatIsNoNetwork) {
  const std::string path = folder_ / "broken.pt";
  EXPECT_THAT(error_of([&] { torchscript_scorer(path, shape_, at::kCPU); }), HasSubstr("broken.pt: no such file"));
  std::ofstream(path) << "text";
  EXPECT_THAT(error_of([&] { torchscript_scorer(path, shape_, at::kCPU); }),
              HasSubstr("broken.pt: no TorchScript file, as torch.jit.save writes it: "));
}

}  // namespace
}  // namespace frgan
