// Tests of frgan train as a child process, on small synthetic images: run folders, signals, resuming.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "../io/file_size_limit.h"
#include "program.h"
#include "tiny_mnist.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Train : public testing::Test {
 protected:
  Train() {
    fs::create_directories(root / "mnist");
    write_images(root / "mnist", "train", 60);
    write_images(root / "mnist", "t10k", 20);
  }
  ~Train() override { fs::remove_all(root); }

  // Trains a small network for 40 steps into the folder `run`.
  Outcome train(const std::string& run, const std::vector<std::string>& more = {}, const Interruption& when = {}) {
    std::vector<std::string> arguments = {"train",          "--data=mnist", "--width=0.0625",     "--gen-width=16",
                                          "--batch-size=4", "--labels=20",  "--init-images",      "10",
                                          "--threads=1",    "--run",        (root / run).string()};
    if (std::find(more.begin(), more.end(), "--steps") == more.end()) arguments.push_back("--steps=40");
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_frgan(arguments, environment, when);
  }
  Outcome resume(const std::string& run, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"train", "--resume", (root / run).string()});
    return run_frgan(more, environment);
  }
  fs::path checkpoint(const std::string& run, const std::string& step) const {
    return root / run / "checkpoints" / ("step-" + step);
  }
  // Compares weights and optimizer state after 40 steps.
  void expect_same_weights(const std::string& one, const std::string& other) {
    for (const char* file : {"model.safetensors", "average.safetensors", "optimizer.safetensors"}) {
      EXPECT_TRUE(text_of(checkpoint(one, "00000040") / file) == text_of(checkpoint(other, "00000040") / file)) << file;
    }
  }
  std::function<bool()> logged(const std::string& run) {
    return [file = root / run / "metrics.jsonl"] { return fs::exists(file) && fs::file_size(file) > 0; };
  }

  const fs::path root = fs::path(testing::TempDir()) / fmt::format("frgan_train_test.{}", getpid());
  const std::vector<std::string> environment = {"FRGAN_DATA=" + root.string()};
};

TEST_F(Train, WritesCompleteRunFolder) {
  const Outcome outcome = train("run");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("test error  "));
  EXPECT_THAT(outcome.out, HasSubstr(" on 20 images\n"));
  EXPECT_THAT(outcome.err, HasSubstr("fr-gan for 40 steps"));
  const nlohmann::json summary = nlohmann::json::parse(text_of(root / "run/summary.json"));
  EXPECT_EQ(summary["steps"], 40);
  EXPECT_EQ(summary["method"], "fr-gan");
  EXPECT_THAT(outcome.out, HasSubstr(fmt::format("repeat      {}\n", summary["command"].get<std::string>())));
  EXPECT_TRUE(fs::is_regular_file(root / "run/samples/step-00000040.png"));
  EXPECT_TRUE(fs::is_directory(checkpoint("run", "00000040")));
  EXPECT_EQ(nlohmann::json::parse(text_of(root / "run/labels.json"))["labeled"].size(), 20u);

  const Outcome again = run_frgan(
      {"train", "--config", (root / "run/options.toml").string(), "--run", (root / "again").string()}, environment);
  EXPECT_EQ(again.code, 0) << again.err;
  expect_same_weights("run", "again");
}

TEST_F(Train, ResumingAfterSignalIsBitIdentical) {
  ASSERT_EQ(train("whole").code, 0);
  for (const auto& [signal, name] : std::map<int, std::string>{{SIGINT, "int"}, {SIGTERM, "term"}}) {
    const Outcome stopped = train(name, {}, {signal, logged(name)});
    EXPECT_EQ(stopped.code, 128 + signal);
    EXPECT_THAT(stopped.err, HasSubstr("continue with: frgan train --resume " + (root / name).string()));
    EXPECT_FALSE(fs::exists(root / name / "summary.json"));
    const Outcome rest = resume(name);
    EXPECT_EQ(rest.code, 0) << rest.err;
    EXPECT_THAT(rest.out, HasSubstr("\nrepeat      frgan train --data=mnist "));
    expect_same_weights("whole", name);
  }
}

TEST_F(Train, SignalBeforeFirstStepLeavesNoFolder) {
  const Outcome outcome = train("run", {}, {SIGINT, [this] { return fs::exists(root / "run"); }});
  EXPECT_EQ(outcome.code, 130);
  if (fs::exists(checkpoint("run", "00000000"))) return;  // training began before the signal; other tests cover this
  EXPECT_THAT(outcome.err, HasSubstr("stopped before the first step; nothing was written"));
  EXPECT_FALSE(fs::exists(root / "run"));
}

TEST_F(Train, ResumingAfterKillIsBitIdentical) {
  ASSERT_EQ(train("whole").code, 0);
  const Outcome killed = train("killed", {"--checkpoint-minutes=0"}, {SIGKILL, logged("killed")});
  EXPECT_EQ(killed.code, 128 + SIGKILL);
  const Outcome rest = resume("killed");
  EXPECT_EQ(rest.code, 0) << rest.err;
  expect_same_weights("whole", "killed");
}

TEST_F(Train, ResumingRejectsOptionsOfTheRun) {
  ASSERT_EQ(train("run", {}, {SIGINT, logged("run")}).code, 130);
  for (const char* option : {"--seed=2", "--labels=30", "--method=fr-gan", "--width=1", "--preset=gan"}) {
    const Outcome outcome = resume("run", {option});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err,
                testing::StartsWith(fmt::format("frgan: {} cannot be combined with --resume",
                                                std::string(option).substr(0, std::string(option).find('=')))));
  }
  const Outcome other_threads = resume("run", {"--threads=2", "--log-every=20"});
  EXPECT_EQ(other_threads.code, 0) << other_threads.err;
  EXPECT_THAT(other_threads.err, HasSubstr("warning: the run used 1 thread; with 2"));
}

TEST_F(Train, RejectsUnusableFolders) {
  ASSERT_EQ(train("run", {"--steps", "1"}).code, 0);
  const auto error_of = [](const Outcome& outcome) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_THAT(error_of(train("run")), HasSubstr("already holds a run; continue it with --resume"));
  EXPECT_THAT(error_of(train("mnist/train-images-idx3-ubyte/run")), HasSubstr("train-images-idx3-ubyte"));
  EXPECT_THAT(error_of(resume("nothing")), HasSubstr("nothing: no such folder"));
  EXPECT_THAT(error_of(resume("run/checkpoints/step-00000001")), HasSubstr("not a run folder"));
  fs::remove(root / "mnist/train-labels-idx1-ubyte");
  EXPECT_THAT(error_of(train("new")), HasSubstr("train-labels-idx1-ubyte"));
  EXPECT_FALSE(fs::exists(root / "new"));
}

TEST_F(Train, DoesNotOverwriteForeignFolders) {
  for (const char* name : {"metrics.jsonl", "dear.txt"}) {
    fs::create_directories(root / name);
    std::ofstream(root / name / name) << "mine\n";
    const Outcome outcome = train(name);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr(fmt::format("{}/{}: not empty: holds {}; give a new or empty folder for the run",
                                                   root.string(), name, name)));
    EXPECT_EQ(text_of(root / name / name), "mine\n");
  }
}

TEST_F(Train, DoesNotOverwriteInputFiles) {
  fs::create_directories(root / "mine");
  const std::string config = (root / "mine/options.toml").string();
  std::ofstream(config) << "seed = 5\n";
  EXPECT_THAT(train("mine", {"--config", config}).err,
              HasSubstr("mine: not empty: holds options.toml; give a new or empty"));
  EXPECT_EQ(train("mine", {"--data-dir", (root / "nowhere").string()}).code, 1);
  EXPECT_EQ(text_of(config), "seed = 5\n");
}

TEST_F(Train, FullDiskKeepsPreviousCheckpoint) {
  {
    const FileSizeLimit limit(12 << 10);  // smaller than the first checkpoint
    const Outcome outcome = train("run");
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("File too large"));
  }
  EXPECT_FALSE(fs::exists(root / "run"));
  ASSERT_EQ(train("run", {}, {SIGINT, logged("run")}).code, 130);
  {
    const FileSizeLimit limit(12 << 10);
    EXPECT_EQ(resume("run").code, 1);
  }
  const Outcome rest = resume("run");
  EXPECT_EQ(rest.code, 0) << rest.err;
  ASSERT_EQ(train("whole").code, 0);
  expect_same_weights("whole", "run");
}

TEST_F(Train, RunKilledBeforeFirstCheckpointCanBeRestarted) {
  const Outcome killed = train("run", {}, {SIGKILL, [this] { return fs::exists(root / "run/options.toml"); }});
  EXPECT_EQ(killed.code, 128 + SIGKILL);
  if (fs::exists(checkpoint("run", "00000000"))) return;  // the first checkpoint exists; other tests cover this
  EXPECT_THAT(resume("run").err, HasSubstr("start a run again if it stopped before its first checkpoint"));
  const fs::path unfinished = root / "run/labels.json.partial-1073741824";  // as left by a kill while writing
  std::ofstream(unfinished) << "{";
  const Outcome again = train("run");
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_FALSE(fs::exists(unfinished));
}

// The option source with the highest precedence determines the length of a run, and its labels.
TEST_F(Train, HigherPrecedenceReplacesLengthAndLabels) {
  ASSERT_EQ(train("run").code, 0);
  const std::string config = (root / "run/options.toml").string(), labels = (root / "run/labels.json").string();
  const auto plan = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"train", "--dry-run"});
    return run_frgan(words, environment);
  };
  EXPECT_THAT(plan({"--config", config}).out, HasSubstr("fr-gan for 40 steps"));
  EXPECT_THAT(plan({"--config", config, "--epochs=2"}).out, HasSubstr("fr-gan for 30 steps"));
  EXPECT_THAT(plan({"--config", config, "--steps=7"}).out, HasSubstr("fr-gan for 7 steps"));
  EXPECT_THAT(plan({"--config", config, "--time-budget=1s"}).out, testing::Not(HasSubstr("fr-gan for 40 steps")));
  EXPECT_EQ(plan({"--config", config, "--time-budget=1s", "--steps=7"}).code, 2);
  const std::string both = (root / "both.toml").string();
  std::ofstream(both) << "steps = 7\ntime-budget = \"1s\"\n";
  EXPECT_THAT(plan({"--data=mnist", "--config", both}).err, HasSubstr("steps and time-budget exclude each other"));
  const Outcome epochs =
      run_frgan({"train", "--config", config, "--epochs=0.2", "--run", (root / "epochs").string()}, environment);
  EXPECT_EQ(epochs.code, 0) << epochs.err;
  EXPECT_THAT(epochs.out, HasSubstr(fmt::format("\nrepeat      frgan train --config {} --steps 3\n", config)));
  const Outcome given = plan({"--preset=demo", "--data=mnist", "--width=0.0625", "--steps=1", "--labels-file", labels});
  EXPECT_EQ(given.code, 0) << given.err;  // replaces the preset's 1,000 labels
  EXPECT_THAT(given.out, testing::ContainsRegex("\n  all +20 "));
  EXPECT_EQ(plan({"--data=mnist", "--labels-file", labels, "--label-mode=random"}).code, 2);
}

TEST_F(Train, DryRunPrintsPlanAndWritesNothing) {
  const Outcome outcome = train("run", {"--dry-run"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("fr-gan for 40 steps"));
  EXPECT_THAT(outcome.out, HasSubstr("consistency"));
  EXPECT_FALSE(fs::exists(root / "run"));
}

TEST_F(Train, AsksForTheLengthOfARun) {
  const std::vector<std::string> small{"--data=mnist", "--width=0.0625", "--gen-width=16", "--batch-size=4"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "train");
    words.insert(words.end(), small.begin(), small.end());
    return run_frgan(words, environment);
  };
  const Outcome none = run({"--run", (root / "none").string()});
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("expected time: about "));
  EXPECT_THAT(none.err,
              HasSubstr("no length given; the times above are for 900 epochs, as in the paper; choose a length with "));
  EXPECT_THAT(none.err, HasSubstr("missing length of the run; for example: 'frgan train --data=mnist --width=0.0625 "
                                  "--gen-width=16 --batch-size=4 --time-budget 30m' or 'frgan train "));
  EXPECT_FALSE(fs::exists(root / "none"));
  EXPECT_THAT(run({"--dry-run"}).out, HasSubstr("fr-gan for 13500 steps (900.0 epochs)"));
  const Outcome preset = run({"--dry-run", "--preset=fr-gan", "--labels=20"});
  EXPECT_EQ(preset.code, 0) << preset.err;
  EXPECT_THAT(preset.out, HasSubstr("preset fr-gan sets the length; choose another with --time-budget"));
  EXPECT_THAT(run({"--dry-run", "--steps=3"}).out, testing::Not(HasSubstr("choose another")));
}

TEST_F(Train, QuietPrintsNoProgress) {
  const Outcome outcome = train("run", {"--quiet"}, {SIGINT, logged("run")});
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("images/s")));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("fr-gan for 40 steps")));
  const Outcome rest = resume("run", {"--quiet"});
  EXPECT_EQ(rest.code, 0);
  EXPECT_EQ(rest.err, "");
  EXPECT_THAT(rest.out, testing::StartsWith("test error  "));
}

TEST_F(Train, InitFromCopiesWeights) {
  ASSERT_EQ(train("first").code, 0);
  const Outcome outcome = train("second", {"--init-from", (root / "first").string(), "--steps", "1"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* file : {"model.safetensors", "average.safetensors"}) {
    EXPECT_TRUE(text_of(checkpoint("second", "00000000") / file) == text_of(checkpoint("first", "00000040") / file));
  }
  EXPECT_THAT(train("third", {"--init-from", (root / "none").string()}).code, 1);
  EXPECT_EQ(train("fourth", {"--init-from", (root / "first").string(), "--se-position", "none"}).code, 1)
      << "architecture mismatch";
}

}  // namespace
}  // namespace frgan
