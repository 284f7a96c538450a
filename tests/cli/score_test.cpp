// Tests of frgan score as a child process.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tiny_runs.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ScoreCommand : public TinyRuns {
 protected:
  static void SetUpTestSuite() {
    TinyRuns::SetUpTestSuite();
    const std::string command =
        fmt::format("'{}' -B '{}/tests/cli/make_scorer.py' .", FRGAN_TORCH_PYTHON, FRGAN_SOURCE_DIR);
    ASSERT_EQ(std::system(command.c_str()), 0) << command << ": needs a Python with torch (Debian: python3-torch)";
  }
  // The scores of the image set `name`.
  static nlohmann::json set_of(const nlohmann::json& found, const std::string& name) {
    for (const nlohmann::json& set : found["sets"]) {
      if (set["name"] == name) return set;
    }
    ADD_FAILURE() << "no scores of " << name << ": " << found.dump(2);
    return {};
  }
};

TEST_F(ScoreCommand, ScoresGenerator) {
  const std::vector<std::string> arguments{"score",  "fr-gan", "--scorer", "supervised", "--count", "120",
                                           "--seed", "5",      "--splits", "4",          "--json"};
  const nlohmann::json found = json_of(arguments);
  EXPECT_EQ(found["classes"], 2);
  EXPECT_EQ(found["features"], 8);
  EXPECT_EQ(found["precision"], "fp32");
  EXPECT_EQ(found["scorer_digest"].get<std::string>().size(), 64U);
  EXPECT_EQ(found["ceiling"]["train"], 2);
  const nlohmann::json scored = set_of(found, "scored");
  EXPECT_EQ(scored["images"], 120);
  EXPECT_EQ(scored["images_per_split"], 30);
  EXPECT_EQ(scored["inception_scores"].size(), 4U);
  EXPECT_GE(scored["inception_score"], 1);
  EXPECT_LE(scored["inception_score"], 2);
  EXPECT_EQ(scored["real_images"], 16);
  EXPECT_GT(scored["frechet_distance"], 0);
  EXPECT_EQ(scored["precision_recall_images"], (nlohmann::json{120, 16}));
  EXPECT_EQ(scored["scorer_digest"], found["scorer_digest"]);
  const nlohmann::json train = set_of(found, "real, train");
  EXPECT_EQ(train["images"], 16);
  EXPECT_FALSE(train.contains("frechet_distance"));
  const nlohmann::json test = set_of(found, "real, test");
  EXPECT_EQ(test["images"], 10);
  EXPECT_TRUE(test.contains("frechet_distance"));
  EXPECT_EQ(json_of(arguments), found);  // deterministic
}

TEST_F(ScoreCommand, FolderOfGeneratedImagesScoresLikeGenerator) {
  ASSERT_EQ(run({"generate", "fr-gan", "made", "--separate", "--count", "120", "--seed", "5"}).code, 0);
  const std::vector<std::string> more{"--scorer", "supervised", "--seed", "5", "--json", "--count", "120"};
  std::vector<std::string> by_run{"score", "fr-gan"}, by_folder{"score", "made"};
  by_run.insert(by_run.end(), more.begin(), more.end());
  by_folder.insert(by_folder.end(), more.begin(), more.end());
  nlohmann::json first = set_of(json_of(by_run), "scored"), second = set_of(json_of(by_folder), "scored");
  EXPECT_EQ(second["source"], "made");
  first.erase("source");
  second.erase("source");
  EXPECT_EQ(first, second);
}

TEST_F(ScoreCommand, PrintsText) {
  const nlohmann::json found = json_of({"score", "fr-gan", "--scorer", "supervised", "--count", "100", "--json"});
  const Outcome outcome = run({"score", "fr-gan", "--scorer", "supervised", "--count", "100"});
  const auto summary = nlohmann::json::parse(text_of("supervised/summary.json"));
  const double error = summary["test"]["test_error"].get<double>();
  EXPECT_EQ(outcome.err.starts_with("warning: scorer supervised has a test error of "), error > 0.2) << outcome.err;
  EXPECT_THAT(outcome.out,
              StartsWith("scorer   supervised/checkpoints/step-00000002 (supervised, step 2), 2 classes, 8 "
                         "features, fp32\nSHA-256  " +
                         found["scorer_digest"].get<std::string>() + "\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nceiling  2.0000, exp(H(y)) of the train labels\n"));
  EXPECT_THAT(outcome.out, HasSubstr(fmt::format("\nscored            100       10 {:>10.4f}",
                                                 set_of(found, "scored")["inception_score"].get<double>())));
  EXPECT_THAT(outcome.out,
              HasSubstr("\nDistances are relative to the 16 training images. Precision and recall compare 100"));
  EXPECT_THAT(outcome.out, HasSubstr("\n% of class        0      1\n"));
}

TEST_F(ScoreCommand, AcceptsTorchScriptNetwork) {
  const nlohmann::json found =
      json_of({"score", "--scorer", "colours.pt", "--data", "data", "--splits", "1", "--count", "16", "--json"});
  EXPECT_EQ(found["classes"], 2);
  EXPECT_EQ(found["features"], 3);
  ASSERT_EQ(found["sets"].size(), 2U);  // real images only
  const nlohmann::json train = set_of(found, "real, train");
  EXPECT_THAT(train["histogram"], ElementsAre(8, 8));
  EXPECT_GT(train["inception_score"], 1.99);
  const nlohmann::json test = set_of(found, "real, test");
  EXPECT_THAT(test["histogram"], ElementsAre(5, 5));
  EXPECT_EQ(test["histogram_divergence"], 0);
  EXPECT_LT(test["frechet_distance"], 1e-3);

  const nlohmann::json generated = set_of(
      json_of({"score", "fr-gan", "--scorer", "colours.pt", "--splits", "2", "--count", "200", "--json"}), "scored");
  EXPECT_GT(generated["frechet_distance"], test["frechet_distance"]);
}

TEST_F(ScoreCommand, RejectsScorerWithOtherClasses) {
  EXPECT_THAT(refusal({"score", "fr-gan", "--scorer", "ten_classes.pt", "--count", "100"}, 1),
              testing::AllOf(StartsWith("frgan: ten_classes.pt: the scorer has 10 classes, but "),
                             HasSubstr("/data has 2; use"), HasSubstr("--any-classes")));
  const nlohmann::json found =
      json_of({"score", "fr-gan", "--scorer", "ten_classes.pt", "--count", "100", "--json", "--any-classes"});
  EXPECT_FALSE(found.contains("ceiling"));
  EXPECT_EQ(set_of(found, "scored")["histogram"].size(), 10U);
  EXPECT_FALSE(set_of(found, "scored").contains("frechet_distance"));  // the scorer has no features
}

TEST_F(ScoreCommand, RejectsInvalidInput) {
  EXPECT_THAT(refusal({"score", "fr-gan", "--scorer", "supervised", "--count", "8", "--splits", "2"}, 1),
              HasSubstr("too few images for a Frechet distance: 8 images for 8 features; at least 9"));
  EXPECT_THAT(refusal({"score", "fr-gan", "--scorer", "supervised", "--count", "9"}, 1),
              HasSubstr("too few images for an Inception Score: 9 images for 10 splits"));
  EXPECT_THAT(refusal({"score", "supervised", "--scorer", "supervised"}, 1),
              HasSubstr("trained with method 'supervised', which has no generator"));
  EXPECT_THAT(refusal({"score", "nowhere", "--scorer", "supervised"}, 1),
              HasSubstr("nowhere: not a folder; give a run"));
  EXPECT_THAT(refusal({"score", "fr-gan"}, 2), HasSubstr("missing --scorer: give a run trained on all labels"));
  EXPECT_THAT(refusal({"score", "data", "--scorer", "colours.pt"}, 2), HasSubstr("missing --data: "));
}

TEST_F(ScoreCommand, RejectsInvalidScorer) {
  std::ofstream("broken.pt") << "no network";
  EXPECT_THAT(refusal({"score", "fr-gan", "--scorer", "broken.pt"}, 1),
              HasSubstr("broken.pt: not a TorchScript file (written by torch.jit.save): "));
  EXPECT_THAT(refusal({"score", "fr-gan", "--scorer", "missing.pt"}, 1),
              HasSubstr("missing.pt: no such file; --scorer"));
  EXPECT_THAT(refusal({"score", "fr-gan", "--scorer", "data"}, 1),
              HasSubstr("data: not a run or checkpoint; --scorer takes"));
}

}  // namespace
}  // namespace frgan
