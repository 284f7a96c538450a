// What decides the result of a run besides its options (train/recipe.h), by what short runs come to.
#include "frgan/train/recipe.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../data/tiny_dataset.h"
#include "../io/temporary_folder.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/core/random.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_lines.h"
#include "frgan/methods/methods.h"
#include "frgan/train/run.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Numbers = std::vector<std::pair<std::string, double>>;

constexpr int64_t kSteps = 20;

// Everything that has a say in a run is on, and has a say within its few steps. Rounding alone has little: a leaky ReLU
// with hardly a kink, a low learning rate and a large epsilon keep steps from making much of it, as images of random
// pixels do, which leave no unit without variance.
class SmallRun {
 public:
  explicit SmallRun(const std::string& method, int64_t steps = kSteps) {
    options_.method = method;
    options_.steps = steps;
    options_.seed = 3;
    options_.precision = "fp32";
    options_.device = "cpu";
    options_.threads = 1;
    options_.log_every = 1;
    options_.split = {.labels = 12,
                      .split_seed = 2,
                      .dev_images = 3,
                      .train_images = 30,
                      .noise = {.level = 0.25, .kind = "wrong", .seed = 4}};
    options_.augmentation.augmentation = {"translate:2", "noise:0.1", "flip"};
  }

  TrainingRun make() {
    std::unique_ptr<Method> method = create_method(options_.method);
    OptionSet set;
    method->describe(set);
    describe(set, options_);
    const std::vector<std::pair<std::string, nlohmann::json>> settings{{"width", 0.125},
                                                                       {"batch-size", 8},
                                                                       {"init-images", 16},
                                                                       {"learning-rate", 3e-4},
                                                                       {"decay-start", 0.5},
                                                                       {"epsilon", 1e-4},
                                                                       {"average-decay", 0.65},
                                                                       {"average-shape", "ramp"},
                                                                       {"input-dropout", 0.2},
                                                                       {"block-dropout", 0.2},
                                                                       {"leaky-slope", 0.9},
                                                                       {"se-position", "all"},
                                                                       {"se-reduction", 4},
                                                                       {"gen-width", 64},
                                                                       {"noise-size", 8},
                                                                       {"disc-steps", 2},
                                                                       {"gen-loss", "fm+ns"},
                                                                       {"consistency-weight", 30.0},
                                                                       {"consistency-labeled", true},
                                                                       {"consistency-generated", true},
                                                                       {"ramp", "gaussian"},
                                                                       {"ramp-start", 0.1},
                                                                       {"ramp-end", 0.6}};
    for (const auto& [name, value] : settings) {
      if (set.contains(name)) set.set(name, value, "the test");
    }
    values_ = set.values();
    Dataset data = tiny_dataset(round_robin(36, 3), 3);
    data.train.images = (random_integers(data.train.images.sizes(), 0, 156, /*key=*/1, at::kCPU) +
                         50 * data.train.labels.view({-1, 1, 1, 1}))
                            .to(at::kByte);
    finish_dataset(data);
    data.test = {tiny_images(6, 16, 1), at::tensor(round_robin(6, 3))};
    LabelSplit split = split_labels(data, options_.split);
    return {options_, std::move(method), std::move(data), std::move(split)};
  }

  void train(const fs::path& directory) {
    fs::create_directories(directory);
    TrainingRun run = make();
    run.begin();
    run.fix_steps();
    const std::atomic<int> no_signal = 0;
    std::ostringstream text;
    Progress progress({text, [] { return 0; }, [] { return 0.0; }}, options_.steps, 0);
    run.train(directory, values_, "frgan train", progress, no_signal);
  }

 private:
  RunOptions options_;
  nlohmann::ordered_json values_;
};

// The root of the mean square of how far tensors are from others, whose names have a prefix.
double distance(const NamedTensors& tensors, const NamedTensors& others, const std::string& prefix = "") {
  double squares = 0, count = 0;
  for (const auto& [name, tensor] : tensors) {
    squares += (tensor - others.at(prefix + name)).to(at::kDouble).square().sum().item<double>();
    count += static_cast<double>(tensor.numel());
  }
  return std::sqrt(squares / count);
}

// Losses, how far the last weights have come from the initial ones, and how far the averaged ones are behind.
Numbers numbers_of(const std::string& method) {
  const TemporaryFolder folder;
  SmallRun(method).train(folder / "run");
  Numbers numbers;
  for (const nlohmann::json& line : read_json_lines(folder / "run/metrics.jsonl")) {
    if (!line.contains("losses")) continue;
    const auto step = line["step"].get<int64_t>();
    if (step != 1 && step != 5 && step != kSteps) continue;
    for (const auto& [term, value] : line["losses"].items()) {
      numbers.emplace_back(fmt::format("{} at step {}", term, step), value.get<double>());
    }
  }
  const Checkpoint begin = load_checkpoint(folder / "run/checkpoints" / checkpoint_name(0));
  const Checkpoint end = load_checkpoint(folder / "run");
  EXPECT_EQ(end.state.step, kSteps);
  numbers.emplace_back("weights from the initial ones", distance(end.files.at("model"), begin.files.at("model")));
  numbers.emplace_back("average from the weights",
                       distance(end.files.at("average"), end.files.at("model"), "discriminator."));
  return numbers;
}

// Within rounding, which differs between processors and releases of LibTorch.
testing::AssertionResult are_golden(const std::string& method, const Numbers& stored) {
  constexpr double kRounding = 1e-3;
  const Numbers found = numbers_of(method);
  bool same = found.size() == stored.size();
  for (size_t i = 0; same && i < found.size(); ++i) {
    same = found[i].first == stored[i].first &&
           std::abs(found[i].second - stored[i].second) <= kRounding * std::abs(stored[i].second);
  }
  if (same) return testing::AssertionSuccess();
  std::string lines;
  for (const auto& [name, value] : found) lines += fmt::format("    {{\"{}\", {:.6g}}},\n", name, value);
  return testing::AssertionFailure() << method
                                     << ": a change of the code changed what a run comes to: raise kRecipe in "
                                        "src/frgan/train/recipe.h and store these numbers:\n"
                                     << lines;
}

const Numbers kFrGan{{"consistency at step 1", 0.00109545},
                     {"fake at step 1", 1.3627},
                     {"feature_matching at step 1", 0.194959},
                     {"generator at step 1", 0.296795},
                     {"real at step 1", 0.283987},
                     {"supervised at step 1", 1.05205},
                     {"consistency at step 5", 0.00213377},
                     {"fake at step 5", 1.36096},
                     {"feature_matching at step 5", 0.361796},
                     {"generator at step 5", 0.297312},
                     {"real at step 5", 0.28388},
                     {"supervised at step 5", 0.952417},
                     {"consistency at step 20", 0.00051161},
                     {"fake at step 20", 1.30975},
                     {"feature_matching at step 20", 0.784598},
                     {"generator at step 20", 0.313367},
                     {"real at step 20", 0.140246},
                     {"supervised at step 20", 0.290271},
                     {"weights from the initial ones", 0.0390503},
                     {"average from the weights", 4.32672e-05}};
const Numbers kSupervised{{"supervised at step 1", 1.13066},
                          {"supervised at step 5", 1.07884},
                          {"supervised at step 20", 0.739242},
                          {"weights from the initial ones", 0.0023654},
                          {"average from the weights", 9.64428e-05}};

TEST(Recipe, IsTheGoldenOne) {
  EXPECT_TRUE(are_golden("fr-gan", kFrGan));
  EXPECT_TRUE(are_golden("supervised", kSupervised));
}

TEST(Recipe, OfACheckpointIsThatOfTheRun) {
  const TemporaryFolder folder;
  SmallRun small("supervised", 1);
  small.train(folder / "run");
  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  EXPECT_EQ(summary.at("recipe"), kRecipe);
  Checkpoint checkpoint = load_checkpoint(folder / "run");
  EXPECT_EQ(checkpoint.state.recipe, kRecipe);
  EXPECT_NO_THROW(small.make().resume(checkpoint));

  for (const int64_t other : {kRecipe - 1, kRecipe + 1}) {
    checkpoint.state.recipe = other;
    checkpoint.state.frgan_version = "9.8.7";
    EXPECT_EQ(error_of([&] { small.make().resume(checkpoint); }),
              fmt::format("{}: the run was begun by a frgan whose training differs from this one's (recipe {}, now "
                          "{}); finish it with that frgan (9.8.7), or start a new run with --init-from",
                          checkpoint.path.string(), other, kRecipe));
    // Its weights are of use all the same.
    EXPECT_NO_THROW(small.make().begin_from(checkpoint));
  }
}

TEST(Recipe, IsTheFirstWhereACheckpointSaysNone) {
  CheckpointState state;
  state.recipe = 7;
  state.shape = {16, 1, 2};
  state.class_names = {"a", "b"};
  state.precision = "fp32";
  nlohmann::json json = to_json(state);
  EXPECT_EQ(json.at("recipe"), 7);
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").recipe, 7);
  json.erase("recipe");
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").recipe, 1);
  json["recipe"] = "first";
  EXPECT_THAT(error_of([&] { checkpoint_state_from_json(json, "state.json"); }),
              HasSubstr("state.json: not the state of a frgan checkpoint ("));
}

}  // namespace
}  // namespace frgan
