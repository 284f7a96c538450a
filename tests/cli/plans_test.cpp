// Tests of frgan sweep and frgan reproduce as child processes, on small synthetic images.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <unistd.h>

#include "frgan/io/files.h"
#include "program.h"
#include "tiny_mnist.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kPlan = R"(
title = "A comparison"
reference = "FR-GAN"
seeds = 2
[settings]
data = "mnist"
evaluations = 6
[budget.short]
steps = STEPS
settings = {width = 0.0625, gen-width = 16, batch-size = 4, init-images = 10, adv-weight = 0.5}
[vary]
labels = [10, 20]
[[row]]
name = "FR-GAN"
preset = "fr-gan"
[[row]]
name = "Supervised"
preset = "supervised"
)";

class Plans : public testing::Test {
 protected:
  Plans() {
    fs::create_directories(root / "mnist");
    write_images(root / "mnist", "train", 60);
    write_images(root / "mnist", "t10k", 20);
  }
  ~Plans() override { fs::remove_all(root); }

  void write_plan(const std::string& steps = "6", const std::string& more = "") {
    std::string text(kPlan);
    text.replace(text.find("STEPS"), 5, steps);
    std::ofstream(root / "my.toml") << text << more;
  }
  Outcome sweep(std::vector<std::string> more = {}, const Interruption& when = {}) {
    more.insert(more.begin(), {"sweep", (root / "my.toml").string(), "--runs", (root / "runs").string(), "--output",
                               (root / "results").string()});
    return run_frgan(more, environment, when);
  }
  std::vector<fs::path> files_in(const std::string& folder, const std::string& ending) const {
    std::vector<fs::path> files;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(root / folder, missing)) {
      if (entry.path().filename().string().ends_with(ending)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  const fs::path root = fs::path(testing::TempDir()) / fmt::format("frgan_plans_test.{}", getpid());
  const std::vector<std::string> environment = {"FRGAN_DATA=" + root.string()};
};

// A plan-wide option without effect on a row is ignored there; in the row itself, it is an error.
TEST_F(Plans, IgnoresPlanWideOptionsWithoutEffectOnARow) {
  const std::string sgd = "[[row]]\nname = \"SGD\"\npreset = \"supervised\"\nsettings = {optimizer = \"sgd\"}\n";
  write_plan("6", sgd);
  const std::string text = read_file(root / "my.toml");
  std::ofstream(root / "my.toml") << std::string(text).replace(text.find("evaluations"), 0, "momentum = 0.5\n");
  const Outcome outcome = sweep({"--dry-run"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  write_plan("6", sgd + "[[row]]\nname = \"Adam\"\npreset = \"supervised\"\nsettings = {momentum = 0.5}\n");
  EXPECT_THAT(sweep({"--dry-run"}).err, HasSubstr("--momentum"));
}

TEST_F(Plans, DryRunShowsPlan) {
  write_plan();
  const Outcome outcome = sweep({"--dry-run"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("A comparison\nbudget short: 8 runs of 6 steps"),
                                 HasSubstr("labels 10          2 runs of "), HasSubstr("0 finished, 0 started, 2 new"),
                                 HasSubstr("at a time")));
  EXPECT_FALSE(fs::exists(root / "runs"));
  EXPECT_FALSE(fs::exists(root / "results"));
}

TEST_F(Plans, DryRunFindsRunsThatMustFail) {
  write_plan();
  std::string text = text_of(root / "my.toml");
  text.replace(text.find("[10, 20]"), 8, "[10, 500]");
  std::ofstream(root / "my.toml") << text;
  for (const std::vector<std::string>& call : {std::vector<std::string>{"--dry-run"}, {}}) {
    const Outcome outcome = sweep(call);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("my.toml, row 'FR-GAN', labels 500, seed 1: --labels 500: "),
                                   HasSubstr("(4 of 8 runs would fail)")));
  }
  std::ofstream(root / "noise.txt") << "1 2 3\n";
  write_plan("6", fmt::format("[[row]]\nname = \"noise\"\npreset = \"supervised\"\nsettings = {{label-noise-kind = "
                              "\"matrix:{}\"}}\n",
                              (root / "noise.txt").string()));
  EXPECT_THAT(sweep({"--dry-run"}).err, AllOf(HasSubstr("row 'noise', labels 10, seed 1"), HasSubstr("row 1")));
  EXPECT_FALSE(fs::exists(root / "runs"));
}

TEST_F(Plans, SeveralBudgetsNeedAChoice) {
  write_plan("6", "[budget.hour]\nsteps = 9\nsettings = {width = 0.0625, gen-width = 16}\n");
  const Outcome refused = sweep();
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, AllOf(HasSubstr("my.toml: missing --budget, the length of each run; "),
                                 HasSubstr("hour: 8 runs of 9 steps, "), HasSubstr("short: 8 runs of 6 steps, "),
                                 HasSubstr(", without evaluations and scores")));
  EXPECT_FALSE(fs::exists(root / "runs"));
  EXPECT_THAT(sweep({"--dry-run"}).out, HasSubstr("budget hour: 8 runs of 9 steps, "));
  EXPECT_EQ(sweep({"--budget", "short", "--rows", "fr-gan", "--where", "labels=10", "--seeds", "1"}).code, 0);
}

TEST_F(Plans, FullStdoutDoesNotFailASweep) {
  write_plan();
  const std::string command = fmt::format(
      "FRGAN_DATA='{0}' '{1}' sweep '{0}/my.toml' --runs '{0}/runs' --output '{0}/results' --rows fr-gan --seeds 1 "
      "--where labels=10 > /dev/full 2> /dev/full",
      root.string(), FRGAN_PROGRAM);
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 0);
  EXPECT_THAT(text_of(root / "results/my.md"), HasSubstr("| FR-GAN | "));
}

TEST_F(Plans, RejectControlCharactersInTitlesAndRowNames) {
  write_plan("6", "[[row]]\nname = \"\\u001b[31mred\"\npreset = \"supervised\"\n");
  const Outcome name = sweep({"--dry-run"});
  EXPECT_EQ(name.code, 2);
  EXPECT_THAT(name.err,
              AllOf(HasSubstr("name is \"\\u001b[31mred\"; expected text on one line"), Not(HasSubstr("\x1b"))));
  write_plan();
  std::string text = text_of(root / "my.toml");
  text.replace(text.find("A comparison"), 12, "\\u001b]0;title\\u0007");
  std::ofstream(root / "my.toml") << text;
  const Outcome title = sweep({"--dry-run"});
  EXPECT_EQ(title.code, 2);
  EXPECT_THAT(title.err, AllOf(HasSubstr("title is \"\\u001b]0;title\\u0007\""), Not(HasSubstr("\x1b"))));
}

TEST_F(Plans, SkipCompletedRuns) {
  write_plan();
  const Outcome outcome = sweep();
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("## labels 10"), HasSubstr("| FR-GAN |"), HasSubstr("(2)")));
  EXPECT_EQ(files_in("results/runs", ".json").size(), 8u);
  for (const char* name : {"my.md", "my.csv", "my.tex", "my.html"}) text_of(root / "results" / name);
  const auto record = nlohmann::json::parse(text_of(files_in("results/runs", ".json").front()));
  EXPECT_EQ(record["evaluations"].back()[0], 6);
  EXPECT_EQ(record["options"]["adv-weight"], 0.5);
  EXPECT_EQ(record["options"]["split-seed"], record["options"]["seed"]);
  const std::vector<fs::path> records = files_in("results/runs", ".json");
  std::vector<fs::file_time_type> written;
  for (const fs::path& file : records) written.push_back(fs::last_write_time(file));
  const Outcome again = sweep();
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, outcome.out);
  EXPECT_THAT(again.err, HasSubstr("2 finished, 0 started, 0 new"));
  for (size_t i = 0; i < records.size(); ++i) EXPECT_EQ(fs::last_write_time(records[i]), written[i]) << records[i];
}

TEST_F(Plans, SelectionsAddUp) {
  write_plan();
  ASSERT_EQ(sweep({"--rows", "fr-gan", "--where", "labels=10", "--seeds", "1"}).code, 0);
  EXPECT_EQ(files_in("results/runs", ".json").size(), 1u);
  const Outcome whole = sweep({"--rows=FR-GAN,Supervised", "--where=labels=10,labels=20", "--seeds=1"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(files_in("results/runs", ".json").size(), 4u);
  EXPECT_THAT(whole.err, HasSubstr("1 finished, 0 started, 0 new"));
}

// Evaluations and mistakes of a record.
std::pair<nlohmann::json, nlohmann::json> outcome_of(const fs::path& record) {
  const auto json = nlohmann::json::parse(text_of(record));
  return {json["evaluations"], json["mistakes"]};
}

TEST_F(Plans, ResumeInterruptedRun) {
  write_plan("300");
  // With two jobs, the number of threads is fixed, so that results are equal bit for bit.
  const std::vector<std::string> one_run = {"--rows", "fr-gan", "--where", "labels=10", "--seeds", "1", "--jobs", "2"};
  const auto trains = [&] {
    for (const auto& entry : fs::recursive_directory_iterator(root / "runs")) {
      if (entry.path().filename() == "metrics.jsonl" && fs::file_size(entry.path()) > 2000) return true;
    }
    return false;
  };
  const Outcome stopped = sweep(one_run, {SIGINT, [&] { return fs::exists(root / "runs") && trains(); }});
  ASSERT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("stopped; repeat the command to continue"));
  EXPECT_TRUE(files_in("results/runs", ".json").empty());
  const Outcome continued = sweep(one_run);
  ASSERT_EQ(continued.code, 0) << continued.err;
  EXPECT_THAT(continued.err, HasSubstr("0 finished, 1 started, 0 new"));
  ASSERT_EQ(files_in("results/runs", ".json").size(), 1u);
  const auto resumed = outcome_of(files_in("results/runs", ".json").front());
  fs::remove_all(root / "runs");
  fs::remove_all(root / "results");
  ASSERT_EQ(sweep(one_run).code, 0);
  EXPECT_EQ(outcome_of(files_in("results/runs", ".json").front()), resumed) << "same result as without interruption";
}

TEST_F(Plans, ContinueAfterFailedRun) {
  write_plan();
  const std::string plan = sweep({"--seeds", "1", "--where", "labels=10", "--dry-run"}).out;
  const size_t name = plan.find("supervised_labels-10_");
  ASSERT_NE(name, std::string::npos) << plan;
  fs::create_directories(root / "runs");  // with a file in place of the folder of a run, which makes the run fail
  std::ofstream(root / "runs" / plan.substr(name, plan.find('\n', name) - name)) << "no folder";
  const Outcome outcome = sweep({"--seeds", "1", "--where", "labels=10"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("failed: supervised_"), HasSubstr("see the log")));
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0 &&
      CPU_COUNT(&cores) > 1) {  // with one core, the number of runs at a time is not in question
    EXPECT_THAT(outcome.err,
                AllOf(HasSubstr("training step: "), HasSubstr(" times as fast): "), HasSubstr("; in total about ")));
  }
  EXPECT_THAT(outcome.out, HasSubstr("| Supervised | – |"));
  EXPECT_EQ(files_in("results/runs", ".json").size(), 1u);
}

TEST_F(Plans, AcceptLabelsFile) {
  ASSERT_EQ(run_frgan({"train", "--preset", "supervised", "--data", "mnist", "--labels", "10", "--width", "0.0625",
                       "--batch-size", "4", "--init-images", "10", "--steps", "2", "--run", (root / "first").string()},
                      environment)
                .code,
            0);
  std::string text(kPlan);
  text.replace(text.find("STEPS"), 5, "6");
  constexpr std::string_view kVaried = "[vary]\nlabels = [10, 20]\n";
  text.replace(text.find(kVaried), kVaried.size(), "");
  text.insert(text.find("evaluations"), fmt::format("labels-file = \"{}\"\n", (root / "first/labels.json").string()));
  std::ofstream(root / "my.toml") << text;
  const Outcome outcome = sweep({"--rows", "Supervised"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("(2)"));
}

TEST_F(Plans, RepairADamagedSummary) {
  write_plan();
  const std::vector<std::string> one_run = {"--rows", "fr-gan", "--where", "labels=10", "--seeds", "1", "--jobs", "2"};
  const Outcome first = sweep(one_run);
  ASSERT_EQ(first.code, 0);
  const std::string name = files_in("results/runs", ".json").front().stem();
  std::ofstream(root / "runs" / name / "summary.json") << "{";
  fs::remove_all(root / "results");
  const Outcome repaired = sweep(one_run);
  EXPECT_EQ(repaired.code, 0) << repaired.err;
  EXPECT_EQ(repaired.out, first.out);
}

// A power cut may leave zero bytes in a log, or a run without its last checkpoint.
TEST_F(Plans, ContinueAfterDamage) {
  write_plan();
  const std::vector<std::string> one_run = {"--rows", "fr-gan", "--where", "labels=10", "--seeds", "1"};
  ASSERT_EQ(sweep(one_run).code, 0);
  const std::string name = files_in("results/runs", ".json").front().stem();
  const fs::path run = root / "runs" / name, last = run / "checkpoints/step-00000006";
  ASSERT_TRUE(fs::exists(last));
  fs::rename(last, run / "checkpoints/step-00000003");
  fs::remove_all(root / "results");
  EXPECT_THAT(sweep({"--dry-run", "--rows", "fr-gan", "--where", "labels=10", "--seeds", "1"}).out,
              HasSubstr("0 finished, 1 started"));
  fs::rename(run / "checkpoints/step-00000003", last);
  std::ofstream(run / "metrics.jsonl", std::ios::app) << std::string(16, '\0') << "\n{}\n";
  const Outcome damaged = sweep({"--seeds", "1"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_THAT(damaged.err, AllOf(HasSubstr("failed: " + name + ": finished, but its record cannot be written"),
                                 HasSubstr("metrics.jsonl")));
  EXPECT_EQ(files_in("results/runs", ".json").size(), 3u) << "the other runs are complete";
}

TEST_F(Plans, ScorePlansCheckScorerBeforeTraining) {
  write_plan();
  std::string text = text_of(root / "my.toml");
  text.insert(0, "show = \"scores\"\n");
  text.erase(text.find("[[row]]\nname = \"Supervised\""));
  std::ofstream(root / "my.toml") << text;
  EXPECT_THAT(sweep({"--dry-run"}).err, HasSubstr("missing scorer: give --scorer"));
  EXPECT_THAT(sweep({"--scorer", (root / "absent.pt").string()}).err, HasSubstr("absent.pt"));
  EXPECT_FALSE(fs::exists(root / "runs"));
}

TEST_F(Plans, ReportInvalidPlansAndOptions) {
  write_plan();
  EXPECT_THAT(sweep({"--rows", "fr-gam"}).err, HasSubstr("unknown --rows 'fr-gam': "));
  EXPECT_THAT(sweep({"--where", "labels=30"}).err, HasSubstr("has labels=10, labels=20"));
  EXPECT_THAT(sweep({"--budget", "shrot"}).err, HasSubstr("did you mean 'short'?"));
  write_plan("6", "[[row]]\npreset = \"gna\"\n");
  EXPECT_THAT(sweep().err, HasSubstr("unknown preset 'gna'; did you mean 'gan'?"));
  write_plan("6", "[[row]]\nname = \"x\"\npreset = \"gan\"\nsettings = {widht = 1}\n");
  EXPECT_THAT(sweep().err, HasSubstr("did you mean"));
  write_plan("6", "[[row]]\nname = \"x\"\npreset = \"gan\"\nsettings = {seed = 1}\n");
  EXPECT_THAT(sweep().err, HasSubstr("option 'seed' is not allowed in a plan"));
  std::ofstream(root / "my.toml") << "x = \"";
  EXPECT_THAT(sweep().err, HasSubstr("my.toml:1"));
  std::ofstream(root / "table3.toml") << kPlan;
  EXPECT_THAT(run_frgan({"sweep", (root / "table3.toml").string()}).err, HasSubstr("same name as table3 of the paper"));
  EXPECT_THAT(run_frgan({"reproduce", "table33"}).err, HasSubstr("did you mean 'table3'?"));
  EXPECT_THAT(run_frgan({"sweep", (root / "absent.toml").string()}).err, HasSubstr("absent.toml"));
}

TEST_F(Plans, RestoreDamagedRecords) {
  write_plan();
  // With two jobs, the number of threads is fixed, so that results are equal bit for bit.
  const std::vector<std::string> one_run = {"--rows", "fr-gan", "--where", "labels=10", "--seeds", "1", "--jobs", "2"};
  ASSERT_EQ(sweep(one_run).code, 0);
  const fs::path record = files_in("results/runs", ".json").front();
  const std::string whole = text_of(record);
  const fs::path intact = root / "intact.json";
  fs::copy_file(record, intact);
  std::string text = whole;
  const size_t digit = text.find("\"steps_per_epoch\": ") + 19;
  text[digit] = text[digit] == '9' ? '8' : static_cast<char>(text[digit] + 1);
  std::ofstream(record) << text;
  std::ofstream(record.parent_path() / "of-another-plan.json") << "{";
  const Outcome restored = sweep({"--tables-only"});
  EXPECT_EQ(restored.code, 0) << restored.err;
  EXPECT_THAT(restored.err, AllOf(HasSubstr("warning: "), HasSubstr(record.filename().string()), HasSubstr("checksum"),
                                  HasSubstr("of-another-plan.json"), HasSubstr("if the run is of this plan")));
  EXPECT_EQ(text_of(record), whole);
  std::ofstream(record) << "{";
  fs::rename(root / "runs", root / "moved");
  const Outcome refused = sweep({"--tables-only"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(record.filename().string()), HasSubstr("not JSON, or truncated"),
                                 HasSubstr("without --tables-only")));
  EXPECT_EQ(sweep(one_run).code, 0);  // trains the run again
  EXPECT_EQ(outcome_of(record), outcome_of(intact));
}

TEST(Reproduce, WritesTable1AndNetworkFigures) {
  const fs::path output = fs::path(testing::TempDir()) / fmt::format("frgan_reproduce_test.{}", getpid());
  for (const char* name : {"table1", "figure1", "figure2"}) {
    EXPECT_EQ(run_frgan({"reproduce", name, "--output", output.string()}).code, 0) << name;
  }
  EXPECT_THAT(text_of(output / "table1.md"), HasSubstr("793684"));
  EXPECT_THAT(text_of(output / "figure1.svg"), HasSubstr("</svg>"));
  EXPECT_THAT(text_of(output / "figure2.svg"), HasSubstr("</svg>"));
  fs::remove_all(output);
}

}  // namespace
}  // namespace frgan
