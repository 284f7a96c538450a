// Starting and resuming runs through the library.
#include "frgan/train/training.h"

#include <atomic>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "../data/tiny_dataset.h"
#include "../io/temporary_folder.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/run_files.h"
#include "frgan/data/safetensors_set.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class TrainingTest : public testing::Test {
 protected:
  TrainingTest() {
    fs::create_directories(root);
    Dataset data = tiny_dataset(round_robin(24, 3), 3);
    data.test = {tiny_images(6, 16, 1), at::tensor(round_robin(6, 3))};
    finish_dataset(data);
    write_safetensors_set(root / "tiny.safetensors", data);
  }

  std::unique_ptr<RunRequest> request(Json more = Json::object()) const {
    Json options = {{"data", (root / "tiny.safetensors").string()},
                    {"steps", 3},
                    {"width", 1.0 / 16},
                    {"batch-size", 4},
                    {"init-images", 8},
                    {"precision", "fp32"},
                    {"device", "cpu"},
                    {"threads", 1},
                    {"checkpoint-minutes", 0.0},
                    {"tensorboard", false}};
    options.update(more);
    return make_run_request("supervised", options);
  }

  // Stops the run before its first step.
  RunResult stop_at_once(Training training) const {
    std::ostringstream text;
    Progress progress({text, [] { return 0; }, [] { return 0.0; }}, 3, /*quiet=*/true);
    const std::atomic<int> signal = 2;
    return training.run(progress, signal);
  }

  // What the run prints when it is resumed.
  std::string output_of_resume() const {
    std::ostringstream text;
    Progress progress({text, [] { return 0; }, [] { return 0.0; }}, 3);
    const std::atomic<int> no_signal = 0;
    Training::resume(folder).run(progress, no_signal);
    return text.str();
  }

  // Replaces device and LibTorch version in the last checkpoint.
  void set_origin(const std::string& device, const std::string& libtorch) const {
    Checkpoint checkpoint = load_checkpoint(folder, CheckpointUse::kResume);
    checkpoint.state.device = device;
    checkpoint.state.libtorch = libtorch;
    save_checkpoint(checkpoint.path, checkpoint.state, checkpoint.files);
  }

  std::vector<std::string> warnings_of_resume() const {
    std::vector<std::string> warnings;
    Training::resume(folder,
                     {.messages = {.warning = [&](const std::string& warning) { warnings.push_back(warning); }}});
    return warnings;
  }

  const TemporaryFolder folder_;
  const fs::path root = folder_ / "root", folder = root / "run";
};

TEST_F(TrainingTest, RestoresTheRecordsOfItsData) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  const std::string labels = read_file(folder / "labels.json"), images = read_file(folder / "images.json");
  fs::remove(folder / "labels.json");
  write_file_safely(folder / "images.json", images.substr(0, images.size() / 2));
  const std::string output = output_of_resume();
  EXPECT_THAT(output, HasSubstr("labels.json: missing or damaged; it was written again"));
  EXPECT_THAT(output, HasSubstr("images.json: missing or damaged; it was written again"));
  EXPECT_EQ(read_file(folder / "labels.json"), labels);
  EXPECT_EQ(read_file(folder / "images.json"), images);
}

TEST_F(TrainingTest, StartsARun) {
  Training training = Training::start(request(), {.folder = folder});
  EXPECT_EQ(training.folder(), folder);
  EXPECT_EQ(training.steps_done(), 0);
  EXPECT_THAT(training.plan_text(), HasSubstr("supervised for 3 steps"));
  const RunResult result = training.run();
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.summary.steps, 3);
  EXPECT_EQ(result.summary.test->images, 6);
  EXPECT_EQ(result.checkpoint, folder / kCheckpointsFolder / checkpoint_name(3));
  EXPECT_EQ(result.samples, "");
  EXPECT_THAT(result.summary.command, StartsWith("frgan train --method=supervised "));
  EXPECT_THAT(result.summary.command, HasSubstr(" --batch-size=4 "));
  EXPECT_THAT(read_file(folder / kOptionsFile), StartsWith("# " + result.summary.command + "\n\n# Run\n"));
  EXPECT_TRUE(fs::exists(folder / kLabelsFile));
  EXPECT_TRUE(fs::exists(folder / kSummaryFile));
}

TEST_F(TrainingTest, ResumesARun) {
  EXPECT_FALSE(stop_at_once(Training::start(request(), {.folder = folder})).finished);
  Training training =
      Training::resume(folder, {.change = [](OptionSet& options) { options.set("log-every", 1, "test"); }});
  EXPECT_EQ(training.options().log_every, 1);
  const RunResult result = training.run();
  EXPECT_TRUE(result.finished);
  const RunResult whole = Training::start(request(), {.folder = root / "whole"}).run();
  EXPECT_TRUE(read_file(result.checkpoint / "model.safetensors") == read_file(whole.checkpoint / "model.safetensors"));
  EXPECT_EQ(result.summary.command, whole.summary.command);
}

TEST_F(TrainingTest, RejectsChangesOfTheRunOnResume) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  const auto change = [](OptionSet& options) { options.set("seed", 2, "test"); };
  EXPECT_THAT(error_of([&] { Training::resume(folder, {.change = change}); }),
              StartsWith("--seed cannot be combined with --resume"));
  EXPECT_THAT(error_of([&] { Training::resume(root); }), HasSubstr("not a run folder: has no checkpoints/"));
}

TEST_F(TrainingTest, RemovesTheFolderOfARunThatDidNotStart) {
  { const Training training = Training::start(request(), {.folder = folder}); }
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_THAT(error_of([&] { Training::start(request({{"labels", 1000}}), {.folder = folder}); }), HasSubstr("1000"));
  EXPECT_FALSE(fs::exists(folder));
  Training dry = Training::start(request(), {.folder = folder, .dry_run = true});
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(TrainingTest, RejectsAFolderWithARun) {
  Training::start(request(), {.folder = folder}).run();
  EXPECT_THAT(error_of([&] { Training::start(request(), {.folder = folder}); }), HasSubstr("already holds a run"));
}

TEST_F(TrainingTest, RefusesASecondProcess) {
  Training training = Training::start(request(), {.folder = folder});
  const std::string owner = "run: process " + std::to_string(getpid()) + " on host ";
  EXPECT_THAT(error_of([&] { Training::start(request(), {.folder = folder}); }), HasSubstr(owner));
  EXPECT_TRUE(fs::exists(folder)) << "the refused process must not remove the folder";
  EXPECT_FALSE(stop_at_once(std::move(training)).finished);
  const Training resumed = Training::resume(folder);
  EXPECT_THAT(error_of([&] { Training::resume(folder); }), HasSubstr(owner));
  EXPECT_NO_THROW(Training::resume(folder, {.dry_run = true}));
}

// state.json is the only source of options and command.
TEST_F(TrainingTest, ResumesWithADamagedOptionsFile) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  write_file_safely(folder / kOptionsFile, std::string_view("# frgan train \xad\xff\n\nseed = 7\n"));
  const RunResult result = Training::resume(folder).run();
  const RunResult whole = Training::start(request(), {.folder = root / "whole"}).run();
  EXPECT_EQ(result.summary.command, whole.summary.command);
  EXPECT_TRUE(read_file(result.checkpoint / "model.safetensors") == read_file(whole.checkpoint / "model.safetensors"));
}

TEST_F(TrainingTest, ResumesWithoutAnOptionsFile) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  fs::remove(folder / kOptionsFile);
  EXPECT_TRUE(Training::resume(folder).run().finished);
}

TEST_F(TrainingTest, FollowsMovedData) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  fs::rename(root / "tiny.safetensors", root / "moved.safetensors");
  EXPECT_THAT(error_of([&] { Training::resume(folder); }),
              HasSubstr("tiny.safetensors: no such path, and not a built-in dataset; "));
  EXPECT_THAT(error_of([&] { Training::resume(folder); }),
              EndsWith("; if the data was moved, give its new path with --data"));
  const auto move_to = [&](const char* file) {
    return ResumeOptions{.change = [this, file](OptionSet& set) { set.set("data", (root / file).string(), "test"); }};
  };
  const RunResult result = Training::resume(folder, move_to("moved.safetensors")).run();
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(load_checkpoint(folder, CheckpointUse::kResume).state.options.at("data"),
            (root / "moved.safetensors").string());
  write_safetensors_set(root / "other.safetensors", tiny_dataset(round_robin(30, 3), 3));
  EXPECT_THAT(error_of([&] { Training::resume(folder, move_to("other.safetensors")); }),
              HasSubstr("trained on: the train set has 30 images instead of 24; 2 differences in all; restore"));
  const Checkpoint with_slash =
      load_checkpoint(folder / kCheckpointsFolder / checkpoint_name(3) / "", CheckpointUse::kResume);
  EXPECT_EQ(data_difference(with_slash, tiny_dataset(round_robin(30, 3), 3)),
            "the train set has 30 images instead of 24; 2 differences in all");
  fs::remove(folder / kImagesFile);
  EXPECT_THAT(error_of([&] { Training::resume(folder, move_to("other.safetensors")); }),
              HasSubstr("trained on: images or labels differ; restore"));
}

// A wrong number of steps in plan.json must not change the run.
TEST_F(TrainingTest, ADamagedPlanDoesNotChangeTheLength) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  std::string plan = read_file(folder / kPlanFile);
  const size_t steps = plan.find("[[0,3]]");
  ASSERT_NE(steps, std::string::npos) << plan;
  plan[steps + 4] = '5';
  write_file_safely(folder / kPlanFile, plan);
  EXPECT_THAT(warnings_of_resume(), ElementsAre(HasSubstr("checksum mismatch")));
  // --steps determines the length, not another plan.
  write_file_safely(folder / kPlanFile, with_checksum(to_json(StepPlan(5))).dump());
  EXPECT_EQ(Training::resume(folder).run().summary.steps, 3);
}

// The plan of --plan is used again if the run folder has lost its own.
TEST_F(TrainingTest, ResumesWithThePlanOfAnotherRun) {
  const fs::path plan = root / "plan.json";
  write_file_safely(plan,
                    std::string_view(R"({"format": "frgan plan 1", "lengths": [[0, 3], [1, 4]], "threads": []})"));
  const auto by_plan = [&] { return request({{"steps", 0}, {"plan", plan.string()}}); };
  const RunResult whole = Training::start(by_plan(), {.folder = root / "whole"}).run();
  EXPECT_EQ(whole.summary.steps, 5);
  stop_at_once(Training::start(by_plan(), {.folder = folder}));
  fs::remove(folder / kPlanFile);
  EXPECT_THAT(warnings_of_resume(), ElementsAre(HasSubstr("no such file; " + plan.string() + " is used")));
  EXPECT_TRUE(Training::resume(folder).run().finished);
  const fs::path model = fs::path(kCheckpointsFolder) / checkpoint_name(5) / "model.safetensors";
  EXPECT_TRUE(read_file(folder / model) == read_file(root / "whole" / model));
}

TEST_F(TrainingTest, ContinuesWithAnotherLearningRate) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  const auto change = [](OptionSet& options) { options.set("learning-rate", 1e-5, "test"); };
  const RunResult result = Training::resume(folder, {.change = change}).run();
  EXPECT_EQ(load_checkpoint(folder, CheckpointUse::kResume).state.options.at("learning-rate"), 1e-5);
  EXPECT_THAT(result.summary.command, EndsWith("  # from step 0 on: --learning-rate=1e-05"));
  EXPECT_EQ(Training::resume(folder, {.change = change}).run().summary.command, result.summary.command);
  const RunResult other = Training::start(request({{"learning-rate", 1e-5}}), {.folder = root / "other"}).run();
  EXPECT_TRUE(read_file(result.checkpoint / "model.safetensors") == read_file(other.checkpoint / "model.safetensors"));
}

TEST_F(TrainingTest, ReportsADamagedLog) {
  Training::start(request(), {.folder = folder}).run();
  fs::remove_all(folder / kCheckpointsFolder / checkpoint_name(3));
  std::string log = read_file(folder / kLogFile);
  log[10] ^= 1;  // in the line of step 1
  write_file_safely(folder / kLogFile, log);
  EXPECT_THAT(output_of_resume(), HasSubstr("warning: " + (folder / kLogFile).string() + ": moved 1 damaged line to "));
  EXPECT_TRUE(fs::exists(folder / "metrics.jsonl.damaged"));
}

TEST_F(TrainingTest, ReportsAMissingLog) {
  stop_at_once(Training::start(request({{"keep-checkpoints", 9}}), {.folder = folder}));
  Training::resume(folder).run();
  for (const int64_t step : {2, 3}) fs::remove_all(folder / kCheckpointsFolder / checkpoint_name(step));
  write_file_safely(folder / kLogFile, std::string_view());
  EXPECT_THAT(output_of_resume(), HasSubstr("lines before step 2 are missing; the curves have a gap"));
}

TEST_F(TrainingTest, FollowsARenamedFolder) {
  const fs::path renamed = root / "renamed";
  Training training = Training::start(request({{"steps", 6}}), {.folder = folder});
  std::ostringstream text;
  const auto rename_once = [&] {
    if (fs::exists(folder) && !text.str().empty()) fs::rename(folder, renamed);
    return 0.0;
  };
  Progress progress({text, [] { return 0; }, rename_once}, 6);
  const std::atomic<int> no_signal = 0;
  const RunResult result = training.run(progress, no_signal);
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.checkpoint, renamed / kCheckpointsFolder / checkpoint_name(6));
  EXPECT_THAT(text.str(), HasSubstr("the run folder was renamed; the run continues in " + renamed.string()));
  EXPECT_TRUE(fs::exists(renamed / kSummaryFile));
  EXPECT_EQ(training.folder(), renamed);
  EXPECT_FALSE(fs::exists(folder));
}

// A stopped run writes its checkpoint into the renamed folder, also if no log line was due since.
TEST_F(TrainingTest, StopsInARenamedFolder) {
  const fs::path renamed = root / "renamed";
  std::optional<Training> training = Training::start(request({{"steps", 6}, {"log-every", 4}}), {.folder = folder});
  std::atomic<int> signal = 0;
  std::ostringstream text;
  const auto rename_and_stop = [&] {  // at the log line of step 4
    fs::rename(folder, renamed);
    signal = 2;
    return 0.0;
  };
  Progress progress({text, [] { return 0; }, rename_and_stop}, 6);
  const RunResult result = training->run(progress, signal);
  EXPECT_FALSE(result.finished);
  EXPECT_EQ(result.checkpoint, renamed / kCheckpointsFolder / checkpoint_name(4));
  EXPECT_FALSE(fs::exists(folder));
  training.reset();  // unlocks the folder
  EXPECT_TRUE(Training::resume(renamed).run().finished);
}

TEST_F(TrainingTest, StopsIfTheFolderIsRemoved) {
  Training training = Training::start(request({{"steps", 6}}), {.folder = folder});
  std::ostringstream text;
  const auto remove_once = [&] {
    if (!text.str().empty()) fs::remove_all(folder);
    return 0.0;
  };
  Progress progress({text, [] { return 0; }, remove_once}, 6);
  const std::atomic<int> no_signal = 0;
  EXPECT_THAT(error_of([&] { training.run(progress, no_signal); }), HasSubstr("the folder was removed or replaced"));
}

TEST_F(TrainingTest, RecordsWhatIsInherited) {
  const RunResult first = Training::start(request(), {.folder = folder}).run();
  const RunResult second = Training::start(request(), {.folder = root / "second", .init_from = folder}).run();
  const Json& inherited = second.summary.inherited;
  EXPECT_EQ(inherited.at("checkpoint"), first.checkpoint.string());
  EXPECT_EQ(inherited.at("step"), 3);
  EXPECT_EQ(inherited.at("labels"), 24);
  EXPECT_EQ(inherited.at("test").at("test_error"), first.summary.test->error);
  EXPECT_TRUE(first.summary.inherited.is_null());
  EXPECT_EQ(load_checkpoint(root / "second", CheckpointUse::kResume).state.inherited, inherited);
}

TEST_F(TrainingTest, StartsFromTheWeightsOfAnotherRun) {
  const RunResult first = Training::start(request(), {.folder = folder}).run();
  const RunResult second = stop_at_once(Training::start(request(), {.folder = root / "second", .init_from = folder}));
  EXPECT_TRUE(read_file(second.checkpoint / "model.safetensors") == read_file(first.checkpoint / "model.safetensors"));
}

TEST_F(TrainingTest, WarnsOfAnotherDeviceOrLibTorch) {
  stop_at_once(Training::start(request(), {.folder = folder}));
  const std::string libtorch = load_checkpoint(folder, CheckpointUse::kResume).state.libtorch;
  EXPECT_NE(libtorch, "");
  EXPECT_EQ(load_checkpoint(folder, CheckpointUse::kResume).state.device, "cpu");
  EXPECT_THAT(warnings_of_resume(), IsEmpty());
  set_origin("cuda", libtorch);
  EXPECT_THAT(warnings_of_resume(), ElementsAre("the run used the device cuda; cpu draws other random numbers, so "
                                                "results differ from an uninterrupted run"));
  set_origin("cpu", "0.9");
  EXPECT_THAT(warnings_of_resume(),
              ElementsAre("the run used LibTorch 0.9; with " + libtorch + ", results differ in their last bits"));
  set_origin("", "");  // as in checkpoints of older versions
  EXPECT_THAT(warnings_of_resume(), IsEmpty());
}

TEST(CheckpointStateTest, DeviceAndLibTorchMayBeMissing) {
  CheckpointState state;
  state.shape = {16, 1, 2};
  state.class_names = {"a", "b"};
  state.precision = Precision::kFull;
  state.device = "cuda";
  state.libtorch = "2.11.0";
  Json json = to_json(state);
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").device, "cuda");
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").libtorch, "2.11.0");
  json.erase("device");
  json.erase("libtorch");
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").device, "");
  EXPECT_EQ(checkpoint_state_from_json(json, "state.json").libtorch, "");
}

}  // namespace
}  // namespace frgan
