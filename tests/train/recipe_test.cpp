// Checks the recipes of the methods (methods/methods.h): results of short runs, and recipe numbers in checkpoints.

#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../data/tiny_dataset.h"
#include "../io/temporary_folder.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/device/random.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_lines.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/train/run.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Numbers = std::vector<std::pair<std::string, double>>;

constexpr int64_t kRecipeSteps = 20;

// A short run in which every option affects the result. The settings keep rounding errors from growing: a leaky ReLU
// with slope 0.9, a low learning rate, a large Adam epsilon, and random pixels, which give every unit some variance.
class SmallRun {
 public:
  explicit SmallRun(const std::string& method, int64_t steps = kRecipeSteps,
                    PrecisionChoice precision = PrecisionChoice::kFp32) {
    options_.method = method;
    options_.steps = steps;
    options_.seed = 3;
    options_.precision = precision;
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
    const std::vector<std::pair<std::string, Json>> settings{{"width", 0.125},
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
                                                             {"ramp-end", 0.6},
                                                             {"unlabeled-ratio", 2},
                                                             {"threshold", 0.34},
                                                             {"m1-share", 0.5},
                                                             {"alpha", 10.0},
                                                             {"information-weight", 0.3}};
    for (const auto& [name, value] : settings) {
      if (set.contains(name)) set.set(name, value, "test");
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
    run.fix_plan();
    const std::atomic<int> no_signal = 0;
    std::ostringstream text;
    Progress progress({text, [] { return 0; }, [] { return 0.0; }}, options_.steps);
    run.train({directory, values_, "frgan train"}, progress, no_signal);
  }

 private:
  RunOptions options_;
  Json values_;
};

// Root mean square difference between `tensors` and the tensors PREFIX + name of `others`.
double distance(const NamedTensors& tensors, const NamedTensors& others, const std::string& prefix = "") {
  double squares = 0, count = 0;
  for (const auto& [name, tensor] : tensors) {
    squares += (tensor - others.at(prefix + name)).to(at::kDouble).square().sum().item<double>();
    count += static_cast<double>(tensor.numel());
  }
  return std::sqrt(squares / count);
}

// The prefix of the classifier's tensors in "model": "discriminator.".
std::string classifier_prefix(const Checkpoint& checkpoint) {
  const std::string& averaged = checkpoint.files.at("average").begin()->first;
  for (const auto& [name, tensor] : checkpoint.files.at("model")) {
    if (name.ends_with("." + averaged)) return name.substr(0, name.size() - averaged.size());
  }
  return "?";
}

// Losses at three steps, the distance of the final from the initial weights, and that of the averaged from the final
// ones.
Numbers numbers_of(const std::string& method, PrecisionChoice precision) {
  const TemporaryFolder folder;
  SmallRun(method, kRecipeSteps, precision).train(folder / "run");
  Numbers numbers;
  for (const Json& line : read_json_lines(folder / "run/metrics.jsonl").objects) {
    if (!line.contains("losses")) continue;
    const auto step = line["step"].get<int64_t>();
    if (step != 1 && step != 5 && step != kRecipeSteps) continue;
    for (const auto& [term, value] : line["losses"].items()) {
      numbers.emplace_back(fmt::format("{} at step {}", term, step), value.get<double>());
    }
  }
  const Checkpoint first = load_checkpoint(folder / "run/checkpoints" / checkpoint_name(0), CheckpointUse::kResume);
  const Checkpoint last = load_checkpoint(folder / "run", CheckpointUse::kResume);
  EXPECT_EQ(last.state.step, kRecipeSteps);
  numbers.emplace_back("distance of final from initial weights",
                       distance(last.files.at("model"), first.files.at("model")));
  numbers.emplace_back("distance of averaged from final weights",
                       distance(last.files.at("average"), last.files.at("model"), classifier_prefix(last)));
  return numbers;
}

// Compares with a relative tolerance, because rounding differs between processors and LibTorch releases.
testing::AssertionResult matches_stored(const std::string& method, PrecisionChoice precision, const Numbers& stored,
                                        double tolerance) {
  const Numbers found = numbers_of(method, precision);
  bool same = found.size() == stored.size();
  for (size_t i = 0; same && i < found.size(); ++i) {
    same = found[i].first == stored[i].first &&
           std::abs(found[i].second - stored[i].second) <= tolerance * std::abs(stored[i].second);
  }
  if (same) return testing::AssertionSuccess();
  std::string lines;
  for (const auto& [name, value] : found) lines += fmt::format("    {{\"{}\", {:.6g}}},\n", name, value);
  return testing::AssertionFailure() << method
                                     << ": a code change altered training results; increment its recipe in "
                                        "src/frgan/methods/methods.cpp and store these numbers:\n"
                                     << lines;
}

const Numbers kFrGan{{"supervised at step 1", 1.05205},
                     {"real at step 1", 0.283987},
                     {"fake at step 1", 1.3627},
                     {"consistency at step 1", 0.00109545},
                     {"generator at step 1", 0.296795},
                     {"feature_matching at step 1", 0.194959},
                     {"supervised at step 5", 0.952417},
                     {"real at step 5", 0.28388},
                     {"fake at step 5", 1.36096},
                     {"consistency at step 5", 0.00213377},
                     {"generator at step 5", 0.297312},
                     {"feature_matching at step 5", 0.361796},
                     {"supervised at step 20", 0.290271},
                     {"real at step 20", 0.140246},
                     {"fake at step 20", 1.30975},
                     {"consistency at step 20", 0.00051161},
                     {"generator at step 20", 0.313367},
                     {"feature_matching at step 20", 0.784598},
                     {"distance of final from initial weights", 0.0390503},
                     {"distance of averaged from final weights", 4.32672e-05}};
const Numbers kSupervised{{"supervised at step 1", 1.13066},
                          {"supervised at step 5", 1.07884},
                          {"supervised at step 20", 0.739242},
                          {"distance of final from initial weights", 0.0023654},
                          {"distance of averaged from final weights", 9.64428e-05}};

const Numbers kMeanTeacher{{"supervised at step 1", 1.51462},
                           {"consistency at step 1", 0.0470657},
                           {"supervised at step 5", 1.72064},
                           {"consistency at step 5", 0.0646363},
                           {"supervised at step 20", 0.874602},
                           {"consistency at step 20", 0.049614},
                           {"distance of final from initial weights", 0.00723817},
                           {"distance of averaged from final weights", 0.00398282}};
// Every prediction is confident, so that rounding cannot change the number of labels.
const Numbers kFixMatch{{"supervised at step 1", 1.17483},
                        {"pseudo_labels at step 1", 0.657625},
                        {"confident at step 1", 1},
                        {"supervised at step 5", 1.17532},
                        {"pseudo_labels at step 5", 0.644569},
                        {"confident at step 5", 1},
                        {"supervised at step 20", 1.35355},
                        {"pseudo_labels at step 20", 0.654152},
                        {"confident at step 20", 1},
                        {"distance of final from initial weights", 0.42565},
                        {"distance of averaged from final weights", 1.38688e-05}};

const Numbers kM1M2{{"reconstruction at step 1", 271.266},
                    {"latent_kl at step 1", 4.62038},
                    {"reconstruction at step 5", 267.017},
                    {"latent_kl at step 5", 2.74099},
                    {"supervised at step 20", 1.03297},
                    {"labeled_bound at step 20", 437.986},
                    {"unlabeled_bound at step 20", 434.227},
                    {"distance of final from initial weights", 0.0668946},
                    {"distance of averaged from final weights", 1.79647e-05}};

// The run solves its problem before the first step.
const Numbers kLinear{{"supervised at step 1", 0.133821},
                      {"supervised at step 5", 0.133821},
                      {"supervised at step 20", 0.133821},
                      {"distance of final from initial weights", 0},
                      {"distance of averaged from final weights", 0}};

// The weight of the information term is fixed, because its choice could depend on the last bits.
const Numbers kImsat{{"supervised at step 1", 0.395928},
                     {"view_entropy at step 1", 1.05977},
                     {"class_entropy at step 1", 1.07566},
                     {"supervised at step 5", 0.395928},
                     {"view_entropy at step 5", 1.05977},
                     {"class_entropy at step 5", 1.07566},
                     {"supervised at step 20", 0.395928},
                     {"view_entropy at step 20", 1.05977},
                     {"class_entropy at step 20", 1.07566},
                     {"distance of final from initial weights", 0},
                     {"distance of averaged from final weights", 0}};

// The networks of mean-teacher and fixmatch have batch statistics, which amplify rounding: up to 0.3 % between AVX2 and
// AVX-512.
TEST(Recipe, MatchesStoredGoldenRun) {
  struct Stored {
    Numbers numbers;
    double tolerance;
  };
  const std::map<std::string_view, Stored> stored{{"fr-gan", {kFrGan, 1e-3}},
                                                  {"supervised", {kSupervised, 1e-3}},
                                                  {"mean-teacher", {kMeanTeacher, 0.02}},
                                                  {"fixmatch", {kFixMatch, 0.02}},
                                                  {"m1m2", {kM1M2, 1e-3}},
                                                  {"linear", {kLinear, 0.02}},
                                                  {"imsat", {kImsat, 0.02}}};
  for (const MethodInfo& info : all_methods()) {
    const auto found = stored.find(info.name);
    const Stored known = found == stored.end() ? Stored{} : found->second;
    EXPECT_TRUE(matches_stored(std::string(info.name), PrecisionChoice::kFp32, known.numbers, known.tolerance));
  }
}

// The headline results are trained in bf16. There, the numbers of LibTorch 1.13 and 2.11 differ from the stored ones by
// up to 1.7 %, in both directions.
TEST(Recipe, MatchesStoredGoldenRunInBf16) {
  EXPECT_TRUE(matches_stored("fr-gan", PrecisionChoice::kBf16, kFrGan, 0.03));
  EXPECT_TRUE(matches_stored("supervised", PrecisionChoice::kBf16, kSupervised, 0.03));
  EXPECT_FALSE(matches_stored("supervised", PrecisionChoice::kBf16, kSupervised, 1e-4)) << "must compute in bf16";
}

TEST(Recipe, ResumeRequiresTheRecipeOfTheCheckpoint) {
  const TemporaryFolder folder;
  const int64_t recipe = find_method("supervised")->recipe;
  SmallRun small("supervised", 1);
  small.train(folder / "run");
  const auto summary = parse_json(read_file(folder / "run/summary.json"), "test");
  EXPECT_EQ(summary.at("recipe"), recipe);
  Checkpoint checkpoint = load_checkpoint(folder / "run", CheckpointUse::kResume);
  EXPECT_EQ(checkpoint.state.recipe, recipe);
  EXPECT_NO_THROW(small.make().resume(checkpoint));

  for (const int64_t other : {recipe - 1, recipe + 1}) {
    checkpoint.state.recipe = other;
    checkpoint.state.frgan_version = "9.8.7";
    EXPECT_EQ(
        error_of([&] { small.make().resume(checkpoint); }),
        fmt::format("{}: training recipe mismatch: the run has recipe {}, this version of frgan has {}; finish the "
                    "run with frgan 9.8.7, or start a new run with --init-from",
                    checkpoint.path.string(), other, recipe));
    // Starting a new run from its weights is allowed.
    EXPECT_NO_THROW(small.make().begin_from(checkpoint));
  }
}

TEST(Recipe, IsOneForCheckpointsWithoutRecipe) {
  CheckpointState state;
  state.recipe = 7;
  state.shape = {16, 1, 2};
  state.class_names = {"a", "b"};
  state.precision = Precision::kFull;
  Json json = to_json(state);
  EXPECT_EQ(json.at("recipe"), 7);
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").recipe, 7);
  json.erase("recipe");
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").recipe, 1);
  json["recipe"] = "first";
  EXPECT_THAT(error_of([&] { checkpoint_state_from_json(json, "state.json"); }),
              HasSubstr("state.json: not a valid checkpoint state of frgan ("));
}

}  // namespace
}  // namespace frgan
