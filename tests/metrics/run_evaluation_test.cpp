// Evaluates and scores a tiny checkpoint on a tiny dataset: run_evaluation.h and run_scores.h.
#include "frgan/metrics/run_evaluation.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../data/tiny_dataset.h"
#include "../io/temporary_folder.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/inference.h"
#include "frgan/data/safetensors_set.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/metrics/run_scores.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

const Hardware kCpu{.device = "cpu"};

class TinyRun : public testing::Test {
 protected:
  TinyRun() : data(tiny_dataset(round_robin(24, 3), 3)), file(folder / "tiny.safetensors") {
    data.test = {tiny_images(9, 16, 1), at::tensor(round_robin(9, 3))};
    finish_dataset(data);
    write_safetensors_set(file, data);
  }
  // Saves a supervised checkpoint whose weights depend on the seed. A large last layer makes predictions differ.
  std::filesystem::path save(const std::string& name, uint64_t seed) const {
    const std::unique_ptr<Method> method = create_method("supervised");
    OptionSet options;
    method->describe(options);
    options.find("width", "test").set(1.0 / 16, "test");
    options.find("se-reduction", "test").set(1, "test");
    const ImageShape shape{16, 1, 3};
    method->build({.shape = shape, .seed = seed});
    const Player player = method->players().at(0);
    const torch::NoGradGuard no_grad;
    player.network->named_parameters()["dense.gain"].fill_(5);
    CheckpointState state;
    state.step = state.planned_steps = 40;
    state.method = "supervised";
    state.options = options.values();
    state.shape = shape;
    state.class_names = data.class_names;
    state.precision = Precision::kFull;
    state.data_digest = data.digest;
    save_checkpoint(
        folder / name, state,
        {{"model", named_tensors(*player.network, player.name + ".")}, {"average", named_tensors(*player.network)}});
    return folder / name;
  }
  DataSource source() const { return {file.string(), "", folder.path()}; }

  const TemporaryFolder folder;
  Dataset data;
  const std::filesystem::path file;
};

TEST_F(TinyRun, EvaluationHasLabelsPredictionsAndResult) {
  const auto path = save("first", 1);
  const RunEvaluation found = evaluate_run({.checkpoint = path, .data = source(), .hardware = kCpu});
  EXPECT_EQ(found.checkpoint, path);
  EXPECT_EQ(found.method, "supervised");
  EXPECT_EQ(found.step, 40);
  EXPECT_EQ(found.precision, Precision::kFull);
  EXPECT_EQ(found.device, "cpu");
  EXPECT_EQ(found.data, file.string());
  EXPECT_THAT(found.class_names, ElementsAre("class0", "class1", "class2"));
  EXPECT_THAT(found.labels, ElementsAreArray(round_robin(9, 3)));
  EXPECT_FALSE(found.comparison);
  EXPECT_EQ(found.result.all.images, 9);

  const at::Tensor expected =
      class_probabilities(*load_classifier(load_checkpoint(path, CheckpointUse::kClassify), at::kCPU, Precision::kFull),
                          data.test.images, Precision::kFull);
  ASSERT_EQ(found.probabilities.size(), 9U);
  int64_t wrong = 0;
  for (int64_t i = 0; i < 9; ++i) {
    const auto row = static_cast<size_t>(i);
    EXPECT_EQ(found.predictions[row], expected[i].argmax().item<int64_t>());
    EXPECT_EQ(found.probabilities[row], expected[i].max().item<float>());
    wrong += found.predictions[row] != found.labels[row];
  }
  EXPECT_EQ(found.result.all.wrong, wrong);
}

TEST_F(TinyRun, EvaluationComparesWithASecondRun) {
  const auto first = save("first", 1), second = save("second", 2);
  const RunEvaluation found =
      evaluate_run({.checkpoint = first, .data = source(), .compare = second, .hardware = kCpu});
  const RunEvaluation other = evaluate_run({.checkpoint = second, .data = source(), .hardware = kCpu});
  ASSERT_TRUE(found.comparison);
  EXPECT_EQ(found.comparison->checkpoint, second);
  EXPECT_EQ(found.comparison->result.all.wrong, other.result.all.wrong);
  EXPECT_EQ(found.comparison->test.p_value, mcnemar_test(found.labels, found.predictions, other.predictions).p_value);
}

TEST_F(TinyRun, EvaluationNamesWhatIsMissing) {
  const auto path = save("first", 1);
  std::vector<std::string> notes;
  Messages messages;
  messages.note = [&](const std::string& text) { notes.push_back(text); };
  data.test = {};
  finish_dataset(data);
  write_safetensors_set(folder / "no-test.safetensors", data);
  EXPECT_THAT(error_of([&] {
                evaluate_run({.checkpoint = path,
                              .data = {(folder / "no-test.safetensors").string(), "", folder.path()},
                              .hardware = kCpu},
                             messages);
              }),
              HasSubstr("no test images; name other data with --data"));
  data.test = {tiny_images(3, 16, 1), at::tensor(round_robin(3, 3))};
  finish_dataset(data);
  write_safetensors_set(folder / "other.safetensors", data);
  notes.clear();
  const DataSource other{(folder / "other.safetensors").string(), "", folder.path()};
  EXPECT_EQ(evaluate_run({.checkpoint = path, .data = other, .hardware = kCpu}, messages).result.all.images, 3);
  EXPECT_THAT(notes, ElementsAre("the network was trained on other data: images or labels differ"));
}

TEST_F(TinyRun, ScoresOfRealImages) {
  const auto scorer = save("scorer", 1);
  const ScoringResult found =
      score_run({.scorer = scorer, .options = {.splits = 2}, .data = source(), .hardware = kCpu});
  EXPECT_EQ(found.scorer, scorer.string() + " (supervised, step 40)");
  EXPECT_EQ(found.scorer_digest.size(), 64U);
  EXPECT_EQ(found.classes, 3);
  EXPECT_EQ(found.features, 8);
  EXPECT_EQ(found.precision, "fp32");
  EXPECT_EQ(found.data_digest, data.digest);
  ASSERT_EQ(found.sets.size(), 2U);
  EXPECT_EQ(found.sets[0].name, "real, train");
  EXPECT_EQ(found.sets[0].scores.images, 24);
  EXPECT_FALSE(found.sets[0].scores.distances);
  EXPECT_EQ(found.sets[1].name, "real, test");
  EXPECT_EQ(found.sets[1].scores.images, 9);
  EXPECT_TRUE(found.sets[1].scores.distances);
  ASSERT_EQ(found.ceilings.size(), 2U);
  EXPECT_EQ(found.ceilings[0].first, "train");
  EXPECT_NEAR(found.ceilings[0].second, 3, 1e-9);
}

TEST_F(TinyRun, ScoringNeedsAGeneratorOrAFolder) {
  const auto scorer = save("scorer", 1);
  EXPECT_THAT(error_of([&] { score_run({.images = scorer, .scorer = scorer, .data = source(), .hardware = kCpu}); }),
              HasSubstr("which has no generator"));
  EXPECT_THAT(error_of([&] {
                score_run({.images = folder / "nothing", .scorer = scorer, .data = source(), .hardware = kCpu});
              }),
              HasSubstr("nothing: not a folder; give a run with a generator"));
  EXPECT_THAT(error_of([&] { score_run({.scorer = folder / "network.pt", .hardware = kCpu}); }),
              HasSubstr("missing --data: "));
}

}  // namespace
}  // namespace frgan
