// Runs that start from published weights: the options that the weights determine, logistic regression on their
// features, and training of the whole network.
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <torch/types.h>

#include "../data/tiny_dataset.h"
#include "../io/temporary_folder.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/inference.h"
#include "frgan/classifier/tensors_file.h"
#include "frgan/data/label_split.h"
#include "frgan/data/safetensors_set.h"
#include "frgan/io/files.h"
#include "frgan/methods/logistic_regression.h"
#include "frgan/nn/networks.h"
#include "frgan/train/training.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class EncoderRunTest : public testing::Test {
 protected:
  EncoderRunTest() {
    data_.channels = 3;
    data_.train.images = tiny_images(24, 32, 3);
    data_.test = {tiny_images(6, 32, 3), at::tensor(round_robin(6, 3))};
    data_.image_size = 32;
    finish_dataset(data_);
    write_safetensors_set(set_, data_);
    const NetworkPtr published = create_network({.network = "resnet18"}, {32, 3, 7}, /*seed=*/5);
    write_tensors(weights_, named_tensors(*published));
    write_file_safely(folder_ / "config.json", R"({"architecture": "resnet18.test", "input_size": [3, 64, 64],
      "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "license": "apache-2.0", "source": "the test"})");
  }

  std::unique_ptr<RunRequest> request(const std::string& method, const Json& more = Json::object()) const {
    Json options = {{"data", set_.string()},
                    {"encoder", weights_.string()},
                    {"labels", 12},
                    {"precision", "fp32"},
                    {"device", "cpu"},
                    {"threads", 1},
                    {"checkpoint-minutes", 0.0},
                    {"tensorboard", false}};
    options.update(more);
    return make_run_request(method, options);
  }
  std::string error_with(const std::string& method, const Json& more) const {
    return error_of([&] { Training::start(request(method, more), {.folder = folder_ / "refused"}); });
  }

  TemporaryFolder folder_;
  fs::path set_ = folder_ / "set.safetensors", weights_ = folder_ / "model.safetensors", run_ = folder_ / "run";
  Dataset data_ = tiny_dataset(round_robin(24, 3), 3);
};

TEST_F(EncoderRunTest, LinearFitsTheLastLayerToTheLabels) {
  Training training = Training::start(request("linear", {{"l2", 3.0}}), {.folder = run_});
  EXPECT_THAT(training.plan_text(), HasSubstr("weights: resnet18.test (license: apache-2.0, source: the test)\n"));
  const RunResult result = training.run();
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.summary.steps, 1);
  EXPECT_EQ(result.summary.encoder.at("license"), "apache-2.0");
  EXPECT_EQ(result.summary.encoder.at("sha256").get<std::string>().size(), 64U);

  const torch::NoGradGuard no_grad;
  const Checkpoint checkpoint = load_checkpoint(run_, CheckpointUse::kResume);
  EXPECT_EQ(checkpoint.state.encoder, result.summary.encoder);
  EXPECT_EQ(checkpoint.state.options.at("network"), "resnet18");
  EXPECT_EQ(checkpoint.state.options.at("normalization"), "standard");
  EXPECT_EQ(checkpoint.state.options.at("encoder-sha256"), result.summary.encoder.at("sha256"));
  EXPECT_EQ(checkpoint.state.calibration.images, "labeled images (cross-validation)");
  EXPECT_EQ(checkpoint.state.calibration.held_out.size(), 12U);
  ASSERT_TRUE(result.quality);
  EXPECT_EQ(result.quality->count.images, 6);
  EXPECT_EQ(result.quality->baselines.size(), 3U);
  EXPECT_EQ(checkpoint.files.at("class_means").at("class_means").sizes(), at::IntArrayRef({3, 512}));
  EXPECT_EQ(checkpoint.files.at("baseline").at("pixels.weight").sizes(), at::IntArrayRef({3, 3 * 8 * 8}));
  // The frozen layers are the published ones. The last layer solves the problem of these features.
  const NetworkPtr network = load_classifier(checkpoint, at::kCPU, Precision::kFull);
  const NamedTensors tensors = named_tensors(*network), published = read_tensors(weights_);
  EXPECT_TRUE(tensors.at("layer3.1.conv2.weight").equal(published.at("layer3.1.conv2.weight")));
  EXPECT_TRUE(tensors.at("bn1.running_var").equal(published.at("bn1.running_var")));
  EXPECT_TRUE(tensors.at("normalization.mean").flatten().allclose(at::tensor({0.0F, -0.2F, -0.4F})));
  const LabelSplit split = label_split_from_json(checkpoint.state.label_split, data_, "state.json");
  const at::Tensor rows = at::tensor(split.labeled, at::kLong);
  const at::Tensor features = classify(*network, data_.train.images.index_select(0, rows), Precision::kFull).features;
  const double scale = features_scale(features);
  const LinearClassifier expected =
      fit_logistic_regression(features / scale, data_.train.labels.index_select(0, rows), 3, 3.0);
  EXPECT_TRUE(tensors.at("fc.weight").to(at::kDouble).allclose(expected.weight / scale, /*rtol=*/1e-3, /*atol=*/1e-4));
  EXPECT_TRUE(named_tensors(*network).at("fc.bias").to(at::kDouble).allclose(expected.bias, 1e-3, 1e-4));
}

// The last layer minimizes the objective of information_maximization.h for the features of the images and of their
// strong views.
TEST_F(EncoderRunTest, ImsatFitsTheLastLayerToTwoViewsOfAllImages) {
  const Json options{{"l2", 3.0}, {"information-weight", 0.5}, {"strong-augmentation", {"translate:10"}}};
  Training::start(request("linear", {{"l2", 3.0}}), {.folder = folder_ / "linear"}).run();
  EXPECT_TRUE(Training::start(request("imsat", options), {.folder = run_}).run().finished);
  const auto last_layer = [](const fs::path& run) {
    return load_checkpoint(run, CheckpointUse::kResume).files.at("model").at("classifier.fc.weight");
  };
  EXPECT_FALSE(last_layer(run_).allclose(last_layer(folder_ / "linear"), 1e-3, 1e-3));
  Json other = options;
  other["strong-augmentation"] = {"none"};
  Training::start(request("imsat", other), {.folder = folder_ / "same-views"}).run();
  EXPECT_FALSE(last_layer(run_).allclose(last_layer(folder_ / "same-views"), 1e-3, 1e-3));
  // The features are the same in a repeated run.
  Training::start(request("imsat", options), {.folder = folder_ / "again"}).run();
  EXPECT_TRUE(last_layer(run_).equal(last_layer(folder_ / "again")));
}

TEST_F(EncoderRunTest, AFinishedRunNeedsNoWeightsFile) {
  const RunResult first = Training::start(request("linear"), {.folder = run_}).run();
  fs::remove(weights_);
  const RunResult again = Training::resume(run_).run();
  EXPECT_EQ(again.summary.test->error, first.summary.test->error);
  EXPECT_EQ(again.summary.encoder, first.summary.encoder);
}

TEST_F(EncoderRunTest, OtherMethodsTrainTheWholeNetwork) {
  const Json options{{"steps", 2}, {"batch-size", 4}, {"network", "resnet18"}, {"keep-checkpoints", 3}};
  EXPECT_TRUE(Training::start(request("supervised", options), {.folder = run_}).run().finished);
  const NamedTensors first =
      load_checkpoint(run_ / "checkpoints/step-00000000", CheckpointUse::kBeginFrom).files.at("model");
  const NamedTensors last = load_checkpoint(run_, CheckpointUse::kBeginFrom).files.at("model");
  const NamedTensors published = read_tensors(weights_);
  const std::string name = "layer3.1.conv2.weight";
  EXPECT_TRUE(first.at("discriminator." + name).equal(published.at(name)));
  EXPECT_FALSE(last.at("discriminator." + name).equal(published.at(name)));
}

TEST_F(EncoderRunTest, RefusesWhatDoesNotFitTheWeights) {
  EXPECT_THAT(error_with("linear", {{"network", "resnet50"}}),
              AllOf(StartsWith("--network=resnet50 cannot be combined with --encoder "),
                    HasSubstr("whose weights need --network=resnet18; remove --network")));
  EXPECT_THAT(error_with("linear", {{"width", 0.5}}), HasSubstr("whose weights need --width=1"));
  EXPECT_THAT(error_with("linear", {{"normalization", "image"}}), HasSubstr("need --normalization=standard"));
  EXPECT_THAT(error_with("m1m2", {{"steps", 3}}), HasSubstr("--encoder cannot be combined with --method m1m2"));
  EXPECT_THAT(error_with("fr-gan", {{"steps", 3}}), HasSubstr("the batch statistics of resnet18"));
  EXPECT_THAT(error_with("linear", {{"encoder", ""}}), HasSubstr("--method linear needs published weights"));
  EXPECT_THAT(error_with("linear", {{"steps", 7}}), HasSubstr("solves its problem in one step"));
  EXPECT_THAT(error_with("linear", {{"encoder-sha256", "abc"}}), HasSubstr("other weights than expected"));
  EXPECT_FALSE(fs::exists(folder_ / "refused"));
}

TEST_F(EncoderRunTest, RefusesGrayImages) {
  Dataset gray = tiny_dataset(round_robin(24, 3), 3);
  finish_dataset(gray);
  write_safetensors_set(folder_ / "gray.safetensors", gray);
  EXPECT_THAT(error_with("linear", {{"data", (folder_ / "gray.safetensors").string()}}),
              HasSubstr("the weights need images with 3 channels"));
}

}  // namespace
}  // namespace frgan
