// Whole training runs on a tiny dataset: their length, the files that they write, and the errors that stop them.
#include "frgan/train/run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <torch/types.h>

#include "../data/tiny_dataset.h"
#include "../io/temporary_folder.h"
#include "frgan/core/error.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_lines.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/methods/supervised.h"
#include "frgan/report/gates.h"
#include "frgan/report/mistakes.h"
#include "frgan/report/tensorboard.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Dataset tiny_data() {
  Dataset data = tiny_dataset(round_robin(24, 3), 3);
  data.test = {tiny_images(6, 16, 1), at::tensor(round_robin(6, 3))};
  return data;
}

// Multiplies the supervised loss by `factor` at step `bad_step`, counted from 1.
class FaultyMethod : public Supervised {
 public:
  explicit FaultyMethod(int bad_step, double factor = std::nan("")) : bad_step_(bad_step), factor_(factor) {}
  std::vector<Stage> stages() override {
    std::vector<Stage> stages = Supervised::stages();
    stages[0].phases[0].losses = [this, losses = stages[0].phases[0].losses](const Batch& batch) {
      std::vector<Losses> found = losses(batch);
      if (++calls_ == bad_step_) found[0][0].value = found[0][0].value * factor_;
      return found;
    };
    return stages;
  }

 private:
  int bad_step_;
  double factor_;
  int calls_ = 0;
};

// Sends a stop signal as soon as it contains a text, unless that is empty.
class StoppingOutput : public std::stringbuf {
 public:
  StoppingOutput(std::string stop_at, std::atomic<int>& signal) : stop_at_(std::move(stop_at)), signal_(signal) {}

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    const std::streamsize written = std::stringbuf::xsputn(text, size);
    if (!stop_at_.empty() && str().find(stop_at_) != std::string::npos) signal_ = SIGTERM;
    return written;
  }

 private:
  std::string stop_at_;
  std::atomic<int>& signal_;
};

class Run : public testing::Test {
 protected:
  Run() {
    options.method = "fr-gan";
    options.steps = 6;
    options.precision = PrecisionChoice::kFp32;
    options.device = "cpu";
    options.threads = 1;
  }

  // A run with small networks; without `method`, of the method that `options` names.
  TrainingRun make(std::unique_ptr<Method> method = nullptr, Dataset data = tiny_data()) {
    if (method == nullptr) method = create_method(options.method);
    OptionSet set;
    method->describe(set);
    describe(set, options);
    const std::vector<std::pair<std::string, Json>> small{
        {"width", 1.0 / 16}, {"batch-size", 4}, {"init-images", 8}, {"gen-width", 16}, {"noise-size", 8}};
    for (const auto& [name, value] : small) {
      if (set.contains(name)) set.set(name, value, "test");
    }
    values = set.values();
    LabelSplit split = split_labels(data, options.split);
    return {options, std::move(method), std::move(data), std::move(split)};
  }

  // Receives a stop signal when the output contains `stop_at`, unless that is empty.
  RunResult train(TrainingRun& run, const fs::path& directory, const std::string& stop_at = "") {
    fs::create_directories(directory);
    std::atomic<int> signal = 0;
    StoppingOutput text(stop_at, signal);
    std::ostream stream(&text);
    Progress progress({stream, [] { return 0; }, [] { return 0.0; }}, run.planned_steps());
    const RunResult result = run.train({directory, values, "frgan train"}, progress, signal);
    output = text.str();
    return result;
  }
  RunResult resume(const std::string& name) {
    TrainingRun run = make();
    run.resume(load_checkpoint(folder / name, CheckpointUse::kResume));
    return train(run, folder / name);
  }
  // The evaluations in the log of a run.
  std::string evaluations(const std::string& name) const {
    std::string text;
    for (const Json& line : read_json_lines(folder / name / "metrics.jsonl").objects) {
      if (line.contains("images")) text += line.dump() + '\n';
    }
    return text;
  }
  RunResult train_new(const std::string& name) {
    TrainingRun run = make();
    run.begin();
    run.fix_plan();
    return train(run, folder / name);
  }

  std::vector<std::string> checkpoints(const std::string& name) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder / name / "checkpoints")) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  void expect_same_weights(const fs::path& one, const fs::path& other) const {
    for (const char* file : {"model.safetensors", "optimizer.safetensors", "average.safetensors"}) {
      EXPECT_TRUE(read_file(one / file) == read_file(other / file)) << file;
    }
  }

  const TemporaryFolder folder_;
  const fs::path folder = folder_ / "runs";
  RunOptions options;
  Json values;
  std::string output;  // progress output of the last training
};

TEST_F(Run, WritesAllResultFiles) {
  options.split.dev_images = 3;
  const RunResult result = train_new("run");
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.summary.test->images, 6);
  EXPECT_EQ(result.summary.dev->images, 3);
  for (const char* file : {"summary.json", "metrics.jsonl", "learning_curve.svg", "gates.json"}) {
    EXPECT_TRUE(fs::exists(folder / "run" / file)) << file;
  }
  const Mistakes mistakes = read_mistakes(folder / "run/mistakes.json");
  EXPECT_EQ(mistakes.role, EvaluatedImages::kTest);
  EXPECT_EQ(mistakes.images, 6);
  EXPECT_DOUBLE_EQ(score(mistakes).all.error(), result.summary.test->error);
  EXPECT_EQ(fs::exists(folder / "run/mistakes.png"), !mistakes.mistakes.empty());
  EXPECT_EQ(read_gates(folder / "run/gates.json").at(0).class_mean.size(), 3U);
  EXPECT_TRUE(fs::exists(result.samples));
  EXPECT_THAT(checkpoints("run"), ElementsAre("step-00000000", "step-00000006"));
}

TEST_F(Run, ReportsMistakesOfDevelopmentImagesWithoutTestImages) {
  options.split.dev_images = 3;
  Dataset data = tiny_data();
  data.test = {};
  finish_dataset(data);
  TrainingRun run = make(nullptr, std::move(data));
  run.begin();
  run.fix_plan();
  const RunResult result = train(run, folder / "run");
  const Mistakes mistakes = read_mistakes(folder / "run/mistakes.json");
  EXPECT_EQ(mistakes.role, EvaluatedImages::kDev);
  EXPECT_DOUBLE_EQ(score(mistakes).all.error(), result.summary.dev->error);
}

TEST_F(Run, WritesTensorBoardEventsUnlessDisabled) {
  const auto event_files = [&](const std::string& name) {
    const fs::directory_iterator entries(folder / name);
    return std::count_if(begin(entries), end(entries), [](const auto& entry) { return is_event_file(entry.path()); });
  };
  train_new("with");
  EXPECT_EQ(event_files("with"), 1);
  options.tensorboard = false;
  train_new("without");
  EXPECT_EQ(event_files("without"), 0);
}

TEST_F(Run, EpochsDetermineTheNumberOfSteps) {
  options.steps = 0;
  options.epochs = 1.5;  // 24 images are 6 batches of 4
  TrainingRun run = make();
  run.fix_plan();
  EXPECT_EQ(run.options().steps, 9);
}

TEST_F(Run, MeasuringAStepDoesNotChangeTheRun) {
  train_new("plain");
  TrainingRun run = make();
  run.begin();
  run.fix_plan();
  EXPECT_GT(run.measure_step(2), 0);
  const RunResult result = train(run, folder / "measured");
  expect_same_weights(folder / "plain/checkpoints/step-00000006", result.checkpoint);
}

StepPlan plan_of(const fs::path& run) {
  const std::string path = run / "plan.json";
  return step_plan_from_json(parse_json(read_file(path), path), path);
}

TEST_F(Run, PlanRepeatsARunWithATimeBudget) {
  options.steps = 0;
  options.time_budget = "5s";
  TrainingRun run = make();
  run.begin();
  run.fix_plan();
  const RunResult first = train(run, folder / "by_time");
  EXPECT_TRUE(first.finished);
  const StepPlan plan = plan_of(folder / "by_time");
  EXPECT_EQ(plan.steps(), first.summary.steps);
  EXPECT_GT(plan.lengths().size(), 1U) << "must plan anew while it runs";
  options.time_budget.clear();
  options.plan = "plan.json";
  TrainingRun again = make();
  again.begin();
  again.follow(plan);
  again.fix_plan();
  EXPECT_EQ(again.options().steps, plan.steps());
  expect_same_weights(first.checkpoint, train(again, folder / "by_plan").checkpoint);
  EXPECT_EQ(read_file(folder / "by_time/plan.json"), read_file(folder / "by_plan/plan.json"));
}

// A killed run repeats what it decided after its last checkpoint.
TEST_F(Run, ResumedRunFollowsTheDecisionsOfTheKilledOne) {
  StepPlan plan(6);
  plan.use_threads(0, 1);
  plan.use_threads(1, 2);
  plan.replan(2, 3);
  plan.use_threads(3, 1);
  plan.replan(4, 2);
  options.plan = "plan.json";
  options.threads = 0;  // those of the plan
  options.checkpoint_minutes = 0;
  options.keep_checkpoints = 10;
  const auto follow = [&](TrainingRun& run, const std::string& name) {
    run.follow(plan);
    run.fix_plan();
    return train(run, folder / name);
  };
  TrainingRun whole = make();
  whole.begin();
  const RunResult first = follow(whole, "whole");
  EXPECT_EQ(first.summary.steps, 6);
  fs::copy(folder / "whole", folder / "killed", fs::copy_options::recursive);
  for (int64_t step = 5; step >= 1; --step) {  // killed after the checkpoint of this step
    fs::remove_all(folder / "killed/checkpoints" / checkpoint_name(step + 1));
    const fs::path killed = folder / fmt::format("killed-{}", step);
    fs::copy(folder / "killed", killed, fs::copy_options::recursive);
    TrainingRun resumed = make();
    const Checkpoint checkpoint = load_checkpoint(killed, CheckpointUse::kResume);
    EXPECT_TRUE(plan.agrees_before(step, checkpoint.state.plan)) << step;
    resumed.resume(checkpoint);
    EXPECT_EQ(resumed.steps_done(), step);
    expect_same_weights(first.checkpoint, follow(resumed, killed.filename()).checkpoint);
    EXPECT_EQ(to_json(plan_of(killed)), to_json(plan)) << step;
  }
}

// After the recorded numbers of threads, a run continues with the last of them until a measurement changes it.
TEST_F(Run, ContinuesWithTheLastRecordedThreads) {
  StepPlan plan(6);
  plan.use_threads(0, 1);
  plan.use_threads(1, 2);
  plan.use_threads(3, 1);
  options.threads = 0;
  TrainingRun run = make();
  run.begin();
  run.follow(plan);
  run.fix_plan();
  train(run, folder / "run");
  EXPECT_EQ(to_json(plan_of(folder / "run")), to_json(plan));
}

// Each step sleeps. After `slow_from` seconds, it sleeps four times as long, like on a machine with other load.
class SleepingMethod : public Supervised {
 public:
  SleepingMethod(std::chrono::milliseconds sleep, const Stopwatch& clock, double slow_from)
      : sleep_(sleep), clock_(clock), slow_from_(slow_from) {}
  std::vector<Stage> stages() override {
    std::vector<Stage> stages = Supervised::stages();
    stages[0].phases[0].losses = [this, losses = stages[0].phases[0].losses](const Batch& batch) {
      std::this_thread::sleep_for(clock_.seconds() < slow_from_ ? sleep_ : 4 * sleep_);
      return losses(batch);
    };
    return stages;
  }

 private:
  std::chrono::milliseconds sleep_;
  Stopwatch clock_;
  double slow_from_;
};

TEST_F(Run, MeetsItsDeadlineOnAMachineThatBecomesSlower) {
  options.method = "supervised";
  options.steps = 0;
  options.time_budget = "6s";
  for (const double slow_from : {0.0, 3.0, 5.0, 100.0}) {
    const Stopwatch clock;
    TrainingRun run = make(std::make_unique<SleepingMethod>(std::chrono::milliseconds(8), clock, slow_from));
    run.begin();
    run.fix_plan();
    const RunResult result = train(run, folder / fmt::format("from-{}", slow_from));
    EXPECT_TRUE(result.finished);
    EXPECT_NEAR(clock.seconds(), 6, 0.3) << slow_from;
    const StepPlan plan = plan_of(folder / fmt::format("from-{}", slow_from));
    EXPECT_EQ(plan.progress(plan.steps()), 1);
    EXPECT_GT(plan.progress(plan.steps() - 1), 0.95) << "schedules must reach their end";
  }
}

TEST_F(Run, TimeBudgetIncludesEvaluations) {
  Dataset data = tiny_data();
  data.test = {tiny_images(600, 16, 1), at::tensor(round_robin(600, 3))};  // takes as long as several steps
  options.steps = 0;
  options.time_budget = "10s";
  const auto steps = [&](int64_t evaluate_every) {
    options.evaluate_every = evaluate_every;
    TrainingRun run = make(nullptr, data);
    run.begin();
    run.fix_plan();
    return run.planned_steps();
  };
  // Use the extremes of several measurements, because other load can make a step look slower than an evaluation.
  int64_t with_many = INT64_MAX, with_few = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    with_many = std::min(with_many, steps(1));
    with_few = std::max(with_few, steps(1000));
  }
  EXPECT_LT(2 * with_many, with_few);
}

TEST_F(Run, RejectsTooShortAndTooLongTimeBudgets) {
  options.steps = 0;
  options.time_budget = "0.000001s";
  TrainingRun run = make();
  run.begin();
  EXPECT_THAT(error_of([&] { run.fix_plan(); }), StartsWith("--time-budget 0.000001s is too short: loading took "));
  options.time_budget = "1e300h";
  TrainingRun too_long = make();
  too_long.begin();
  EXPECT_THAT(error_of([&] { too_long.fix_plan(); }), HasSubstr("at most 1000000000 are allowed"));
}

// The error is detected at the next grid, evaluation or last step, even if no log line is due.
TEST_F(Run, StopsAtANonFiniteLoss) {
  options.method = "supervised";
  options.log_every = 100;
  for (const auto& [sample, evaluate] : {std::pair{1, 100}, {100, 1}, {100, 100}}) {
    options.sample_every = sample;
    options.evaluate_every = evaluate;
    const std::string name = std::to_string(sample) + "-" + std::to_string(evaluate);
    TrainingRun run = make(std::make_unique<FaultyMethod>(3));
    run.begin();
    run.fix_plan();
    EXPECT_THAT(error_of([&] { train(run, folder / name); }),
                StartsWith("loss term 'supervised' is not finite (NaN or infinite) at step 3; training stopped"));
    EXPECT_THAT(checkpoints(name), ElementsAre("step-00000000"));
    EXPECT_FALSE(fs::exists(folder / name / "summary.json"));
    EXPECT_EQ(load_checkpoint(folder / name, CheckpointUse::kResume).state.step, 0);
  }
}

TEST_F(Run, WarnsOnceIfTrainingDiverges) {
  options.method = "supervised";
  options.log_every = 1;
  for (const auto& [name, factor] : {std::pair{"normal", 1.0}, {"diverged", 1000.0}}) {
    TrainingRun run = make(std::make_unique<FaultyMethod>(3, factor));
    run.begin();
    run.fix_plan();
    train(run, folder / name);
    const std::string warning = "warning: step 3: training diverged: the supervised loss is ";
    EXPECT_EQ(output.find(warning) != std::string::npos, factor > 1) << output;
    EXPECT_EQ(output.find("diverged"), output.rfind("diverged"));
  }
}

TEST_F(Run, DoesNotSaveNonFiniteWeights) {
  std::unique_ptr<Method> method = create_method("fr-gan");
  const Method& built = *method;
  TrainingRun run = make(std::move(method));
  run.begin();
  run.fix_plan();
  {
    const torch::NoGradGuard no_grad;
    built.players()[1].network->named_parameters()["deconv3.bias"].fill_(std::nan(""));
  }
  EXPECT_THAT(error_of([&] { train(run, folder / "run"); }),
              StartsWith("model/generator.deconv3.bias is not finite (NaN or infinite) after step 0"));
  EXPECT_FALSE(has_checkpoints(folder / "run/checkpoints"));
}

TEST_F(Run, RecordsTimeSpentInTheSummary) {
  const double before = process_seconds();
  train_new("run");
  const auto summary = parse_json(read_file(folder / "run/summary.json"), "test");
  const Json& spent = summary["time_spent"];
  EXPECT_GE(spent["before_first_step"].get<double>(), before);
  EXPECT_GT(spent["evaluations"].get<double>(), 0);
  EXPECT_GT(spent["records"].get<double>(), 0);
  EXPECT_LT(spent["evaluations"].get<double>() + spent["records"].get<double>(), summary["wall_seconds"].get<double>());
  EXPECT_GT(summary["gflop_per_step"].get<double>(), 0);
}

TEST_F(Run, ResumingAFinishedRunWritesNothing) {
  const RunResult first = train_new("run");
  const std::string summary = read_file(folder / "run/summary.json"), log = read_file(folder / "run/metrics.jsonl");
  TrainingRun run = make();
  run.resume(load_checkpoint(folder / "run", CheckpointUse::kResume));
  const RunResult again = train(run, folder / "run");
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.summary.test->error, first.summary.test->error);
  EXPECT_EQ(again.checkpoint, first.checkpoint);
  EXPECT_EQ(read_file(folder / "run/summary.json"), summary);
  EXPECT_EQ(read_file(folder / "run/metrics.jsonl"), log);
}

// The weights are on disk before the results. A failure while the results are written loses nothing.
TEST_F(Run, ResumesAfterAFailureAtItsEnd) {
  const RunResult whole = train_new("whole");
  for (const std::string blocked : {"learning_curve.svg", "mistakes.json"}) {
    const fs::path run_folder = folder / blocked;
    fs::create_directories(run_folder / blocked / "in the way");
    EXPECT_THAT(error_of([&] { train_new(blocked); }), HasSubstr(blocked));
    EXPECT_THAT(checkpoints(blocked), ElementsAre("step-00000000", "step-00000006"));
    fs::remove_all(run_folder / blocked);
    const RunResult resumed = resume(blocked);
    EXPECT_TRUE(resumed.finished);
    expect_same_weights(resumed.checkpoint, whole.checkpoint);
    EXPECT_EQ(evaluations(blocked), evaluations("whole"));
    EXPECT_EQ(resumed.summary.losses, whole.summary.losses);
    EXPECT_TRUE(fs::is_regular_file(run_folder / "summary.json"));
  }
}

TEST_F(Run, RepeatsTheEndOfARunWithATimeBudget) {
  options.steps = 0;
  options.time_budget = "4s";
  fs::create_directories(folder / "run/gates.json/in the way");
  EXPECT_THAT(error_of([&] { train_new("run"); }), HasSubstr("gates.json"));
  fs::remove_all(folder / "run/gates.json");
  const int64_t steps = load_checkpoint(folder / "run", CheckpointUse::kResume).state.step;
  for (int i = 0; i < 2; ++i) {
    TrainingRun run = make();
    run.resume(load_checkpoint(folder / "run", CheckpointUse::kResume));
    run.follow(plan_of(folder / "run"));
    run.fix_plan();
    const RunResult result = train(run, folder / "run");
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(result.summary.steps, steps);
  }
}

TEST_F(Run, RepeatsAFinalEvaluationThatWasStopped) {
  options.split.dev_images = 3;
  options.evaluate_every = 2;
  train_new("whole");
  TrainingRun run = make();
  run.begin();
  run.fix_plan();
  EXPECT_FALSE(train(run, folder / "stopped", /*stop_at=*/"step 6/6").finished);
  EXPECT_THAT(checkpoints("stopped"), ElementsAre("step-00000000", "step-00000006"));
  EXPECT_FALSE(fs::exists(folder / "stopped/summary.json"));
  EXPECT_TRUE(resume("stopped").finished);
  EXPECT_EQ(evaluations("stopped"), evaluations("whole"));
}

// The summary of an earlier training to the same step does not make a later one look finished.
TEST_F(Run, RemovesAnOldSummaryWhenItTrainsAgain) {
  options.checkpoint_minutes = 0;
  options.keep_checkpoints = 10;
  train_new("run");
  fs::remove_all(folder / "run/checkpoints/step-00000006");
  TrainingRun run = make();
  run.resume(load_checkpoint(folder / "run", CheckpointUse::kResume));
  EXPECT_FALSE(train(run, folder / "run", /*stop_at=*/"step 6/6").finished);
  EXPECT_FALSE(fs::exists(folder / "run/summary.json"));
}

TEST_F(Run, RewritesADamagedSummary) {
  train_new("run");
  const fs::path path = folder / "run/summary.json";
  std::string text = read_file(path);
  EXPECT_TRUE(has_run_summary(path, 6));
  EXPECT_FALSE(has_run_summary(path, 5));
  const size_t digit = text.find("\"test_error\": 0.") + 17;
  text[digit] = text[digit] == '9' ? '8' : '9';
  write_file_safely(path, text);
  EXPECT_FALSE(has_run_summary(path, 6));
  const std::string log = evaluations("run");
  EXPECT_TRUE(resume("run").finished);
  EXPECT_TRUE(has_run_summary(path, 6));
  EXPECT_EQ(evaluations("run"), log);
}

TEST_F(Run, ResumesARunThatSkipsOutliers) {
  options.skip_outliers = 1;
  options.steps = 150;  // the first 128 fill the window
  options.log_every = 10;
  options.precision = PrecisionChoice::kFp32;
  const RunResult whole = train_new("whole");
  EXPECT_GT(whole.summary.skipped_updates.value_or(0), 0);
  EXPECT_THAT(output, HasSubstr(" skipped since the last log line"));
  TrainingRun run = make();
  run.begin();
  run.fix_plan();
  EXPECT_FALSE(train(run, folder / "stopped", /*stop_at=*/"skipped since").finished);
  const RunResult resumed = resume("stopped");
  expect_same_weights(resumed.checkpoint, whole.checkpoint);
  EXPECT_EQ(resumed.summary.skipped_updates, whole.summary.skipped_updates);
}

TEST_F(Run, ContinuesIfAnImageGridCannotBeWritten) {
  options.sample_every = 2;
  fs::create_directories(folder / "run");
  write_file_safely(folder / "run/samples", "a file in place of the folder");
  const RunResult result = train_new("run");
  EXPECT_TRUE(result.finished);
  EXPECT_THAT(output, HasSubstr("warning: step 2: no image grid: "));
  EXPECT_EQ(result.samples, fs::path());
}

// A stop during an evaluation ends it. The resumed run repeats what is missing.
TEST_F(Run, RepeatsAnEvaluationThatWasStopped) {
  options.split.dev_images = 3;
  options.evaluate_every = 2;
  const RunResult whole = train_new("whole");
  TrainingRun run = make();
  run.begin();
  run.fix_plan();
  const RunResult stopped = train(run, folder / "stopped", /*stop_at=*/"step 4: dev error");
  EXPECT_FALSE(stopped.finished);
  EXPECT_THAT(output, testing::Not(HasSubstr("step 4: test error")));
  EXPECT_EQ(stopped.checkpoint.filename(), "step-00000004");
  const RunResult resumed = resume("stopped");
  expect_same_weights(resumed.checkpoint, whole.checkpoint);
  EXPECT_EQ(evaluations("stopped"), evaluations("whole"));
}

TEST_F(Run, ReportsADamagedLogOfAFinishedRun) {
  train_new("run");
  const std::string log = read_file(folder / "run/metrics.jsonl");
  resume("run");
  EXPECT_THAT(output, testing::Not(HasSubstr("warning")));
  write_file_safely(folder / "run/metrics.jsonl", log.substr(0, 10) + "#" + log.substr(11));
  resume("run");
  EXPECT_THAT(output, HasSubstr("metrics.jsonl: 1 damaged line in the log of this finished run"));
  write_file_safely(folder / "run/metrics.jsonl", "");
  resume("run");
  EXPECT_THAT(output, HasSubstr("lines of this finished run are missing"));
}

TEST_F(Run, ResumesFromAnOlderCheckpointIfTheLastIsCorrupt) {
  options.checkpoint_minutes = 0;  // after every step
  options.keep_checkpoints = 3;
  train_new("whole");
  train_new("run");
  write_file_safely(folder / "run/checkpoints/step-00000006/state.json", "{}");
  const Checkpoint older = load_checkpoint(folder / "run", CheckpointUse::kResume);
  EXPECT_EQ(older.state.step, 5);
  EXPECT_EQ(older.warnings.size(), 1u);
  options.keep_checkpoints = 1;
  TrainingRun run = make();
  run.resume(older);
  expect_same_weights(folder / "whole/checkpoints/step-00000006", train(run, folder / "run").checkpoint);
  EXPECT_THAT(checkpoints("run"), ElementsAre("step-00000006"));
  EXPECT_EQ(load_checkpoint(folder / "run", CheckpointUse::kResume).state.step, 6);
}

TEST_F(Run, RejectsResumingWithOtherData) {
  train_new("run");
  Dataset other = tiny_data();
  other.digest = "another";
  TrainingRun run = make(nullptr, std::move(other));
  EXPECT_THAT(error_of([&] { run.resume(load_checkpoint(folder / "run", CheckpointUse::kResume)); }),
              HasSubstr("data mismatch: tiny no longer has the data that the run was trained on"));
}

TEST_F(Run, StartsFromTheWeightsOfAnotherRun) {
  const RunResult first = train_new("first");
  TrainingRun run = make();
  run.begin_from(load_checkpoint(folder / "first", CheckpointUse::kResume));
  run.fix_plan();
  options.steps = 6;
  train(run, folder / "second");
  const fs::path start = folder / "second/checkpoints/step-00000000";
  for (const char* file : {"model.safetensors", "average.safetensors"}) {
    EXPECT_TRUE(read_file(start / file) == read_file(first.checkpoint / file)) << file;
  }

  Dataset other = tiny_data();
  other.class_names = {"ant", "bee", "cat"};
  TrainingRun mismatched = make(nullptr, std::move(other));
  EXPECT_THAT(error_of([&] { mismatched.begin_from(load_checkpoint(folder / "first", CheckpointUse::kResume)); }),
              HasSubstr("tiny: class 0 is 'ant', but the network was trained with 'class0'"));
}

TEST_F(Run, StartsFromAnotherMethodWithTheSameNetworksOnly) {
  train_new("first");  // fr-gan
  const Checkpoint checkpoint = load_checkpoint(folder / "first", CheckpointUse::kBeginFrom);
  options.method = "mean-teacher";
  TrainingRun run = make(create_method("mean-teacher"));
  EXPECT_THAT(error_of([&] { run.begin_from(checkpoint); }),
              HasSubstr("trained with method 'fr-gan', which has the networks discriminator, generator; method "
                        "'mean-teacher' has student; --init-from needs a run with the same networks"));
  options.method = "supervised";  // has a discriminator, but no generator
  TrainingRun supervised = make(create_method("supervised"));
  EXPECT_THAT(error_of([&] { supervised.begin_from(checkpoint); }),
              HasSubstr("method 'supervised' has discriminator;"));
  options.method = "m1m2";
  TrainingRun staged = make(create_method("m1m2"));
  EXPECT_THAT(error_of([&] { staged.begin_from(checkpoint); }),
              HasSubstr("--init-from cannot be combined with --method m1m2"));
}

TEST_F(Run, RefusesLengthsThatAreTooShortForTheStages) {
  options.method = "m1m2";
  options.steps = 1;
  TrainingRun run = make(create_method("m1m2"));
  run.begin();
  EXPECT_EQ(error_of([&] { run.fix_plan(); }),
            "1 steps are too few for the 2 stages of the method: stage 'm2' would have no step; increase --steps");
}

// The classifier of the first stage is not trained yet.
TEST_F(Run, EvaluatesOnceTheClassifierIsTrained) {
  options.method = "m1m2";
  options.steps = 6;
  options.evaluate_every = 1;
  TrainingRun run = make(create_method("m1m2"));
  run.begin();
  run.fix_plan();
  train(run, folder / "run");
  std::vector<int64_t> evaluated;
  for (const Json& line : read_json_lines(folder / "run/metrics.jsonl").objects) {
    if (line.contains("test_error")) evaluated.push_back(line.at("step").get<int64_t>());
  }
  EXPECT_THAT(evaluated, ElementsAre(4, 5, 6));
}

TEST_F(Run, RefusesToClassifyBeforeTheClassifierIsTrained) {
  options.method = "m1m2";
  options.steps = 6;
  options.checkpoint_minutes = 0;  // after every step
  options.keep_checkpoints = 10;
  TrainingRun run = make(create_method("m1m2"));
  run.begin();
  run.fix_plan();
  train(run, folder / "run");
  const auto checkpoint = [&](int64_t step) { return folder / "run/checkpoints" / checkpoint_name(step); };
  for (const CheckpointUse use : {CheckpointUse::kClassify, CheckpointUse::kGenerate, CheckpointUse::kBeginFrom}) {
    EXPECT_THAT(error_of([&] { load_checkpoint(checkpoint(3), use); }),
                HasSubstr("the classifier is not trained yet: this is step 3 of 6"));
    EXPECT_EQ(load_checkpoint(checkpoint(4), use).state.step, 4);
  }
  EXPECT_EQ(load_checkpoint(checkpoint(3), CheckpointUse::kResume).state.step, 3);
}

TEST_F(Run, HasNoErrorRateWithoutTestImages) {
  Dataset data = tiny_data();
  data.test = {};
  TrainingRun run = make(nullptr, std::move(data));
  run.begin();
  run.fix_plan();
  const RunResult result = train(run, folder / "run");
  EXPECT_TRUE(result.finished);
  EXPECT_FALSE(result.summary.test.has_value());
  EXPECT_FALSE(fs::exists(folder / "run/learning_curve.svg"));
}

TEST_F(Run, PrintsThePlan) {
  options.split.labels = 6;
  options.split.dev_images = 3;
  TrainingRun run = make();
  run.begin();
  run.fix_plan();
  RunPlan shown = run.plan();
  EXPECT_GT(shown.seconds_per_step, 0);
  EXPECT_GT(shown.seconds_per_evaluation, 0);
  EXPECT_NEAR(shown.seconds_left, 6 * shown.seconds_per_step + 6 * shown.seconds_per_evaluation, 1e-9);
  EXPECT_GT(shown.peak_memory_bytes, 50 << 20);
  shown.seconds_per_step = 0.5;
  shown.seconds_per_evaluation = 0.25;
  shown.seconds_left = 4;
  shown.peak_memory_bytes = int64_t{3} << 29;
  const std::string plan = plan_text(shown);
  EXPECT_THAT(plan, HasSubstr("\n  class1         2"));
  EXPECT_THAT(plan, HasSubstr("\n  all            6         21         3         6\n"));
  EXPECT_THAT(plan, HasSubstr("fr-gan for 6 steps (1.2 epochs), fp32 on cpu, 1 thread\n"));
  EXPECT_THAT(plan, HasSubstr("expected time: about 4 s (6 steps of 0.5 s, 6 evaluations of 0.25 s); expected peak "
                              "memory: 1.50 GiB\n"));
}

TEST(RunOptionsTest, PrecisionIsAWordInFiles) {
  RunOptions run;
  OptionSet options;
  describe(options, run);
  EXPECT_EQ(options.values().at("precision"), "auto");
  options.set("precision", "bf16", "test");
  EXPECT_EQ(run.precision, PrecisionChoice::kBf16);
  EXPECT_THAT(error_of([&] { options.set("precision", "fp16", "test"); }), HasSubstr("auto, fp32, bf16"));
}

TEST(RunOptionsTest, ParsesDurationsWithUnits) {
  EXPECT_EQ(parse_duration("90s"), 90);
  EXPECT_EQ(parse_duration("5m"), 300);
  EXPECT_EQ(parse_duration("1.5h"), 5400);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  for (const char* wrong : {"", "5", "m", "5 m", "-5m", "0s", "nanm", "1e999h", "5min"}) {
    EXPECT_THAT(error_of([&] { parse_duration(wrong); }), HasSubstr("invalid duration")) << wrong;
  }
}

TEST(RunOptionsTest, OnlyMachineAndIntervalOptionsMayDifferOnResume) {
  RunOptions run;
  OptionSet options;
  describe(options, run);
  std::vector<std::string> names;
  for (const Option& option : options.all()) {
    if (may_differ_on_resume(option.name)) names.push_back(option.name);
  }
  EXPECT_THAT(names, ElementsAre("device", "threads", "log-every", "evaluate-every", "evaluations", "sample-every",
                                 "checkpoint-minutes", "keep-checkpoints", "tensorboard"));
}

}  // namespace
}  // namespace frgan
