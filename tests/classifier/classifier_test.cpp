#include "frgan/classifier/classifier.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/generation.h"
#include "frgan/classifier/generator.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/version.h"
#include "frgan/device/random.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/nn/discriminator.h"

namespace frgan {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr ImageShape kShape{16, 1, 3};

// A small network with the weights of the seed. A large gain in the last layer makes predictions differ between images.
NetworkPtr small_network(uint64_t seed = 1, bool explicit_fake_class = false) {
  NetworkOptions options;
  options.width = 1.0 / 16;
  options.se_reduction = 1;
  options.explicit_fake_class = explicit_fake_class;
  const auto network = std::make_shared<Discriminator>(options, kShape, seed);
  const torch::NoGradGuard no_grad;
  network->named_parameters()["dense.gain"].fill_(5);
  return network;
}

at::Tensor random_images(int64_t count) {
  return random_integers({count, 16, 16, 1}, 0, 256, /*key=*/7, at::kCPU).to(at::kByte);
}

const Hardware kCpu{.device = "cpu"};

// Saves a checkpoint of a run with the weights of `average` as averaged weights.
std::filesystem::path save(const std::filesystem::path& path, const NetworkPtr& average,
                           const std::string& method_name = "supervised") {
  const std::unique_ptr<Method> method = create_method(method_name);
  OptionSet options;
  method->describe(options);
  options.find("width", "test").set(1.0 / 16, "test");
  options.find("se-reduction", "test").set(1, "test");
  if (options.contains("gen-width")) options.find("gen-width", "test").set(8, "test");
  method->build({.shape = kShape, .seed = 5});
  CheckpointState state;
  state.step = 40;
  state.method = method_name;
  state.options = options.values();
  state.shape = kShape;
  state.class_names = {"ant", "bee", "cat"};
  state.precision = Precision::kFull;
  NamedTensors model;
  for (const Player& player : method->players()) model.merge(named_tensors(*player.network, player.name + "."));
  save_checkpoint(path, state, {{"model", model}, {"average", named_tensors(*average)}});
  return path;
}

// The class probabilities N x 3 of uint8 images.
at::Tensor probabilities(const Classifier& classifier, const at::Tensor& images) {
  return at::tensor(classifier.probabilities(view_of(images).pixels)).view({images.size(0), 3});
}

void write_grey(const std::filesystem::path& path, const at::Tensor& image) {
  const at::Tensor whole = image.contiguous();
  write_png(path, {whole.data_ptr<uint8_t>(), static_cast<size_t>(whole.numel())}, 16, 16, 1);
}

TEST(ClassProbabilities, AreTheSoftmaxOfTheLogits) {
  const auto network = small_network();
  const at::Tensor images = random_images(4);
  const torch::NoGradGuard no_grad;
  const at::Tensor input = (images.to(at::kFloat) / 127.5 - 1).permute({0, 3, 1, 2});
  const at::Tensor expected = network->forward(input.contiguous(at::MemoryFormat::ChannelsLast), {}).logits.softmax(1);
  const at::Tensor result = class_probabilities(*network, images, Precision::kFull);
  EXPECT_TRUE(at::allclose(result, expected, 1e-5, 1e-6));
  EXPECT_FALSE(at::allclose(result[0], result[1], 1e-3, 1e-4));  // the images give different predictions
  EXPECT_FALSE(result.requires_grad());
}

TEST(ClassProbabilities, DoNotDependOnTheBatch) {
  const auto network = small_network();
  const at::Tensor images = random_images(1500);  // two batches, the second incomplete
  const at::Tensor all = class_probabilities(*network, images, Precision::kFull);
  for (const int64_t row : {int64_t{0}, int64_t{1023}, int64_t{1024}, int64_t{1499}}) {
    const at::Tensor alone = class_probabilities(*network, images.narrow(0, row, 1), Precision::kFull);
    EXPECT_TRUE(at::allclose(all[row], alone[0], 1e-4, 1e-5)) << row;
  }
  EXPECT_EQ(class_probabilities(*network, images.narrow(0, 0, 0), Precision::kFull).size(0), 0);
}

TEST(ClassProbabilities, IgnoreTheFakeClass) {
  const auto network = small_network(1, /*explicit_fake_class=*/true);
  const at::Tensor result = class_probabilities(*network, random_images(2), Precision::kFull);
  EXPECT_EQ(result.sizes(), (at::IntArrayRef{2, 3}));
  EXPECT_TRUE(at::allclose(result.sum(1), at::ones({2})));
}

TEST(ClassProbabilities, RejectImagesOfWrongTypeOrShape) {
  const auto network = small_network();
  EXPECT_EQ(error_of([&] {
              class_probabilities(*network, at::zeros({2, 16, 16, 3}, at::kByte), Precision::kFull);
            }),
            "invalid images: Byte of shape 2x16x16x3; must be uint8 (Byte) or Float of shape Nx16x16x1; "
            "resize them first");
  EXPECT_THAT(error_of([&] {
                class_probabilities(*network, at::zeros({2, 16, 16, 1}, at::kDouble), Precision::kFull);
              }),
              HasSubstr("invalid images: Double"));
}

// Images of float values give the same result as bytes, and stay unchanged.
TEST(ClassProbabilities, AcceptUnroundedImages) {
  const auto network = small_network();
  const at::Tensor images = random_images(3), numbers = images.to(at::kFloat), before = numbers.clone();
  EXPECT_TRUE(at::equal(class_probabilities(*network, numbers, Precision::kFull),
                        class_probabilities(*network, images, Precision::kFull)));
  EXPECT_TRUE(at::equal(numbers, before));
}

TEST(ClassProbabilities, RejectANetworkWithUnusableWeights) {
  const at::Tensor images = random_images(4);
  const torch::NoGradGuard no_grad;
  const auto message = [&](const std::string& name, double value) {
    const auto network = small_network();
    network->named_parameters()[name].fill_(value);
    return error_of([&] { class_probabilities(*network, images, Precision::kFull); });
  };
  EXPECT_THAT(message("conv1.gain", INFINITY),
              HasSubstr("NaN or infinite for 4 of 4 images: conv1.gain is NaN or infinite; use an earlier checkpoint"));
  EXPECT_THAT(message("conv1.gain", 3e38), HasSubstr("the largest value, 3e+38, is in conv1.gain"));
  EXPECT_THAT(message("dense.gain", 0), HasSubstr("the network has the same outputs for all 4 images"));
  const auto network = small_network();
  EXPECT_NO_THROW(class_probabilities(*network, images.narrow(0, 0, 1).expand({3, -1, -1, -1}), Precision::kFull))
      << "equal images have equal outputs";
}

TEST(RunFolder, IsFoundFromEverySpellingOfACheckpoint) {
  const std::filesystem::path here = std::filesystem::current_path();
  for (const std::string name : {"run/checkpoints/step-00000040", "run/checkpoints/step-00000040/",
                                 "./run//checkpoints/step-00000040/.", "other/../run/checkpoints/step-00000040"}) {
    EXPECT_EQ(run_folder_of(name), here / "run") << name;
    EXPECT_EQ(run_folder_of(here / name), here / "run") << name;
  }
  EXPECT_EQ(run_folder_of("step-00000040"), here.parent_path());
}

// Damaged data was not moved.
TEST(RunData, OnlyMissingDataIsAskedFor) {
  const TemporaryFolder folder;
  const DataOptions of_file{.data = (folder / "tiny.safetensors").string()};
  const std::string hint = "; if the data was moved, give its new path with --data";
  const auto error = [&](const DataOptions& options) {
    return error_of([&] { load_run_data(options, folder / "data"); });
  };
  EXPECT_THAT(error(of_file), EndsWith(hint));
  EXPECT_THAT(error({.data = "mnist"}), EndsWith(hint + "-dir"));
  EXPECT_THAT(error({.data = "mnist", .data_dir = (folder / "absent").string()}), EndsWith(hint + "-dir"));
  write_file_safely(folder / "tiny.safetensors", std::string_view("damaged"));
  std::filesystem::create_directories(folder / "data/mnist");
  EXPECT_THAT(error(of_file), Not(HasSubstr("moved")));
  EXPECT_THAT(error({.data = "mnist"}), Not(HasSubstr("moved")));
  EXPECT_THAT(error({.data = "folder", .data_dir = folder.path().string()}), Not(HasSubstr("moved")));
}

TEST(RunData, TheHintKeepsTheKindOfTheError) {
  const TemporaryFolder folder;
  const auto kind = [&](const DataOptions& options) {
    try {
      load_run_data(options, folder.path());
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::kStopped;
  };
  EXPECT_EQ(kind({.data = (folder / "absent").string()}), ErrorKind::kUsage);
  EXPECT_EQ(kind({.data = "mnist"}), ErrorKind::kFailure);
}

TEST(Classifier, RefusesAnOlderCheckpointUnlessAllowed) {
  const TemporaryFolder folder;
  const std::filesystem::path checkpoints = folder / "checkpoints";
  save(checkpoints / "step-00000020", small_network(9));
  save(checkpoints / "step-00000040", small_network(9));
  write_file_safely(checkpoints / "step-00000040/state.json", std::string_view("{}"));
  EXPECT_THAT(error_of([&] { Classifier::load(folder.path(), kCpu); }),
              AllOf(HasSubstr("step-00000040/state.json: wrong size"), HasSubstr("the checkpoint is corrupt; to use"),
                    HasSubstr("step-00000020, give its folder, or pass --allow-older")));
  std::vector<std::string> warnings;
  Messages messages;
  messages.warning = [&](const std::string& warning) { warnings.push_back(warning); };
  Hardware hardware = kCpu;
  hardware.allow_older = true;
  Classifier::load(folder.path(), hardware, messages);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("the checkpoint is corrupt; using step-00000020 instead")));
}

TEST(Classifier, UsesTheAveragedWeightsOfACheckpoint) {
  const TemporaryFolder folder;
  const auto average = small_network(9);
  const Classifier classifier = Classifier::load(save(folder / "step-00000040", average), kCpu);
  EXPECT_EQ(classifier.image_size(), 16);
  EXPECT_EQ(classifier.channels(), 1);
  EXPECT_THAT(classifier.class_names(), ElementsAre("ant", "bee", "cat"));
  const at::Tensor images = random_images(3);
  EXPECT_TRUE(at::equal(probabilities(classifier, images), class_probabilities(*average, images, Precision::kFull)));
  EXPECT_FALSE(
      at::equal(probabilities(classifier, images), class_probabilities(*small_network(5), images, Precision::kFull)));
}

TEST(Classifier, UsesTheNewestCheckpointOfARun) {
  const TemporaryFolder run;
  const auto older = small_network(1), newer = small_network(2);
  std::filesystem::create_directory(run / "checkpoints");
  save(run.path() / "checkpoints" / "step-00000040", older);
  save(run.path() / "checkpoints" / "step-00000080", newer);
  const at::Tensor images = random_images(3);
  EXPECT_TRUE(at::equal(probabilities(Classifier::load(run.path(), kCpu), images),
                        class_probabilities(*newer, images, Precision::kFull)));
}

TEST(Classifier, RejectsAnArchitectureMismatch) {
  const TemporaryFolder folder;
  NetworkOptions options;
  options.width = 1.0 / 8;  // the options in the checkpoint have 1/16
  options.se_reduction = 1;
  const auto path = save(folder / "wide", std::make_shared<Discriminator>(options, kShape, 1));
  const std::string message = error_of([&] { Classifier::load(path, kCpu); });
  EXPECT_THAT(message, HasSubstr((path / "average.safetensors").string()));
  EXPECT_THAT(message, HasSubstr("shape"));
  EXPECT_THAT(message, HasSubstr("architecture mismatch"));
}

TEST(Classifier, RejectsACorruptCheckpoint) {
  const TemporaryFolder folder;
  const auto path = save(folder / "altered", small_network());
  std::fstream file(path / "average.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end).put('\x55');
  file.close();
  EXPECT_THAT(error_of([&] { Classifier::load(path, kCpu); }), HasSubstr("average.safetensors"));
}

TEST(Classifier, NeedsOnlyStateAndAveragedWeights) {
  const TemporaryFolder folder;
  const auto network = small_network(2);
  const auto path = save(folder / "step-00000040", network);
  std::filesystem::remove(path / "model.safetensors");
  std::filesystem::remove(path / "MANIFEST.json");
  const at::Tensor images = random_images(3);
  EXPECT_TRUE(at::equal(probabilities(Classifier::load(path, kCpu), images),
                        class_probabilities(*network, images, Precision::kFull)));
  EXPECT_THAT(error_of([&] { load_checkpoint(path, CheckpointUse::kGenerate); }),
              HasSubstr("model.safetensors: file is missing"));
  EXPECT_THAT(error_of([&] { load_checkpoint(path, CheckpointUse::kResume); }),
              HasSubstr("MANIFEST.json: file is missing"));
}

TEST(Classifier, UsesTheDefaultOfAnOptionThatTheCheckpointLacks) {
  const TemporaryFolder folder;
  const auto network = small_network(2);
  Checkpoint older = load_checkpoint(save(folder / "step-00000040", network), CheckpointUse::kBeginFrom);
  older.state.options.erase("leaky-slope");
  save_checkpoint(folder / "step-00000050", older.state, older.files);
  const at::Tensor images = random_images(3);
  EXPECT_TRUE(at::equal(probabilities(Classifier::load(folder / "step-00000050", kCpu), images),
                        class_probabilities(*network, images, Precision::kFull)));
}

TEST(Classifier, RejectsAMethodThatNoLongerExists) {
  const TemporaryFolder folder;
  Checkpoint older = load_checkpoint(save(folder / "step-00000040", small_network()), CheckpointUse::kBeginFrom);
  older.state.method = "gone";
  older.state.frgan_version = "0.0.9";
  const std::filesystem::path path = folder / "step-00000050";
  save_checkpoint(path, older.state, older.files);
  EXPECT_EQ(
      error_of([&] { Classifier::load(path, kCpu); }),
      fmt::format(
          "{}: trained with the method 'gone' by frgan 0.0.9; this frgan ({}) has no such method; use the frgan that "
          "trained it",
          path.string(), version()));
}

TEST(Classifier, RejectsAMissingPath) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { Classifier::load(folder / "nothing"); }), HasSubstr("nothing"));
}

TEST(Classifier, ClassifiesImageFiles) {
  const TemporaryFolder folder;
  const Classifier classifier = Classifier::load(save(folder / "step-00000040", small_network(3)), kCpu);
  const at::Tensor images = random_images(2);
  write_grey(folder / "a.png", images[0]);
  write_grey(folder / "b.png", images[1]);
  std::ofstream(folder / "text.png") << "not an image";
  const at::Tensor expected = probabilities(classifier, images);

  std::vector<FilePrediction> results;
  const std::vector<std::filesystem::path> paths{folder / "a.png", folder / "text.png", folder / "missing.png",
                                                 folder / "b.png"};
  classifier.classify_files(paths, [&](const FilePrediction& result) { results.push_back(result); });
  ASSERT_EQ(results.size(), 4U);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(results[i].path, paths[i]);
  for (const auto& [row, result] : {std::pair{0, results[0]}, std::pair{1, results[3]}}) {
    EXPECT_EQ(result.error, "");
    ASSERT_EQ(result.probabilities.size(), 3U);
    for (int64_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(result.probabilities[static_cast<size_t>(k)], expected[row][k].item<float>(), 1e-6);
    }
    EXPECT_EQ(static_cast<int64_t>(result.label), expected[row].argmax().item<int64_t>());
  }
  EXPECT_THAT(results[1].error, HasSubstr("text.png"));
  EXPECT_THAT(results[2].error, HasSubstr("missing.png"));
  EXPECT_TRUE(results[1].probabilities.empty());

  EXPECT_EQ(classifier.classify_file(folder / "b.png").probabilities, results[3].probabilities);
  EXPECT_EQ(error_of([&] { classifier.classify_file(folder / "text.png"); }), results[1].error);
}

// Files are resized without rounding to bytes: a gray level of 0.25 matters.
TEST(Classifier, DoesNotRoundResizedFiles) {
  const TemporaryFolder folder;
  const auto network = small_network(3);
  const Classifier classifier = Classifier::load(save(folder / "step-00000040", network), kCpu);
  const at::Tensor large = random_integers({32, 32, 1}, 0, 256, /*key=*/9, at::kCPU).to(at::kByte);
  write_png(folder / "a.png", {large.data_ptr<uint8_t>(), size_t{32 * 32}}, 32, 32, 1);
  const at::Tensor means = large.to(at::kFloat).view({1, 16, 2, 16, 2, 1}).mean({2, 4});
  const at::Tensor expected = class_probabilities(*network, means, Precision::kFull)[0];
  const at::Tensor rounded = class_probabilities(*network, means.round(), Precision::kFull)[0];
  const at::Tensor found = at::tensor(classifier.classify_file(folder / "a.png").probabilities);
  EXPECT_TRUE(at::allclose(found, expected, 0, 1e-6));
  EXPECT_FALSE(at::allclose(found, rounded, 0, 1e-6));
}

TEST(CheckpointState, ContainsTheResizeRule) {
  CheckpointState state;
  state.class_names = {"ant", "bee"};
  Json json = to_json(state);
  const auto rule_of = [&] { return checkpoint_state_from_json(json, "state.json").resize; };
  EXPECT_EQ(json.at("resize"), "area");
  EXPECT_EQ(rule_of(), ResizeRule::kArea);
  json["resize"] = "lanczos";
  EXPECT_EQ(error_of(rule_of),
            "state.json: unknown resize rule 'lanczos'; this version supports area and opencv-area; use the frgan that "
            "trained it");
  json["resize"] = "opencv-area";
  EXPECT_EQ(rule_of(), ResizeRule::kOpenCvArea);
  EXPECT_EQ(data_options({.data = "."}, checkpoint_state_from_json(json, "state.json")).resize,
            ResizeRule::kOpenCvArea);
  json.erase("resize");
  EXPECT_EQ(rule_of(), ResizeRule::kOpenCvArea) << "checkpoints from before the rule area";
}

TEST(Classifier, ClassifiesMoreFilesThanOneBatch) {
  const TemporaryFolder folder;
  const Classifier classifier = Classifier::load(save(folder / "step-00000040", small_network(3)), kCpu);
  const at::Tensor images = random_images(2);
  write_grey(folder / "a.png", images[0]);
  write_grey(folder / "b.png", images[1]);
  std::vector<std::filesystem::path> paths(1024, folder / "a.png");
  paths.push_back(folder / "b.png");
  std::vector<float> first;
  classifier.classify_files(paths, [&](const FilePrediction& result) { first.push_back(result.probabilities.at(0)); });
  ASSERT_EQ(first.size(), 1025U);
  const at::Tensor expected = probabilities(classifier, images);
  EXPECT_NEAR(first[0], expected[0][0].item<float>(), 1e-5);
  EXPECT_NEAR(first[1023], expected[0][0].item<float>(), 1e-5);
  EXPECT_NEAR(first[1024], expected[1][0].item<float>(), 1e-5);
  classifier.classify_files({}, [](const FilePrediction&) { FAIL() << "called without a file"; });
}

TEST(Classifier, RejectsPixelsThatAreNoImages) {
  const TemporaryFolder folder;
  const Classifier classifier = Classifier::load(save(folder / "step-00000040", small_network()), kCpu);
  EXPECT_EQ(error_of([&] { classifier.probabilities(std::vector<uint8_t>(257)); }),
            "invalid images: 257 pixel values; must be a multiple of 256 (16x16x1); resize them first");
  EXPECT_TRUE(classifier.probabilities({}).empty());
}

TEST(Classifier, PassesOnWarnings) {
  const TemporaryFolder run;
  std::filesystem::create_directory(run / "checkpoints");
  save(run / "checkpoints" / "step-00000040", small_network());
  save(run / "checkpoints" / "step-00000080", small_network());
  std::filesystem::remove(run / "checkpoints" / "step-00000080" / "average.safetensors");
  std::vector<std::string> warnings;
  Messages messages;
  messages.warning = [&](const std::string& text) { warnings.push_back(text); };
  Classifier::load(run.path(), {.device = "cpu", .allow_older = true}, messages);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("step-00000080")));
}

TEST(GenerateImages, GivesTheImagesInOrder) {
  const TemporaryFolder folder;
  const auto path = save(folder / "step-00000040", small_network(), "fr-gan");
  std::vector<uint8_t> pixels;
  std::vector<int64_t> firsts;
  generate_images(path, {.count = 130, .seed = 3, .hardware = kCpu}, [&](const ImageView& images, int64_t first) {
    EXPECT_EQ(images.image_size, 16);
    EXPECT_EQ(images.channels, 1);
    firsts.push_back(first);
    pixels.insert(pixels.end(), images.pixels.begin(), images.pixels.end());
  });
  EXPECT_THAT(firsts, ElementsAre(0, 100));
  const at::Tensor expected = generated_images(
      load_generator(load_checkpoint(path, CheckpointUse::kGenerate), at::kCPU, Precision::kFull), /*seed=*/3, 130);
  EXPECT_THAT(pixels, testing::ElementsAreArray(view_of(expected).pixels));
}

TEST(GenerateImages, RejectsAMethodWithoutGenerator) {
  const TemporaryFolder folder;
  const auto path = save(folder / "step-00000040", small_network());
  EXPECT_THAT(error_of([&] { generate_images(path, {.hardware = kCpu}, [](const ImageView&, int64_t) {}); }),
              HasSubstr("trained with method 'supervised', which has no generator"));
}

}  // namespace
}  // namespace frgan
