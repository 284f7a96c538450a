#include "frgan/report/run_history.h"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class RunHistoryTest : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view text) const {
    fs::create_directories((folder / name).parent_path());
    write_file_safely(folder / name, text);
  }
  void write_run() const {
    write(
        "run/metrics.jsonl",
        R"({"step":5,"epoch":0.1,"losses":{"real":0.5,"fake":null},"learning_rate":0.01,"images_per_second":9,"seconds":3})"
        "\n"
        R"({"step":10,"test_error":0.5,"error_low":0.4,"error_high":0.6,"images":10})"
        "\n"
        R"({"step":20,"test_error":0.25,"error_low":0.2,"error_high":0.3,"images":10})"
        "\n");
    write("run/summary.json",
          R"({"method":"fr-gan","steps":20,"wall_seconds":7.5,"data":"svhn","data_digest":"d","gflop_per_step":null,)"
          R"("test":{"step":20,"test_error":0.25,"error_low":0.2,"error_high":0.3,"images":10},"dev":null,)"
          R"("processor":"Zen","cores":2,"threads":1,"libtorch":"1.13.0","commit":"abc"})");
    write("run/labels.json", R"({"labeled":[1,2,3]})");
  }
  RunHistory read() const { return read_run_history(folder / "run"); }

  const TemporaryFolder folder;
};

TEST_F(RunHistoryTest, ReadsFinishedRun) {
  write_run();
  const RunHistory run = read();
  EXPECT_TRUE(run.finished);
  EXPECT_EQ(run.name, "run");
  EXPECT_EQ(run.labels, 3);
  EXPECT_EQ(run.summary.method, "fr-gan");
  EXPECT_EQ(run.machine.processor, "Zen");
  EXPECT_EQ(run.commit, "abc");
  ASSERT_THAT(run.steps, SizeIs(1));
  EXPECT_EQ(run.steps[0].losses.front(), (std::pair<std::string, double>("real", 0.5)));  // in file order
  EXPECT_THAT(run.evaluations, SizeIs(2));
  EXPECT_EQ(primary_role(run), EvaluatedImages::kTest);
  EXPECT_EQ(final_error(run)->error, 0.25);
  EXPECT_TRUE(std::isnan(late_median(run))) << "fewer than 20 evaluations";
  EXPECT_THAT(run.notes, IsEmpty());
}

TEST_F(RunHistoryTest, ReadsUnfinishedRun) {
  write_run();
  fs::remove(folder / "run/summary.json");
  const RunHistory run = read();
  EXPECT_FALSE(run.finished);
  EXPECT_FALSE(final_error(run).has_value());
  EXPECT_TRUE(std::isnan(late_median(run))) << "fewer than 20 evaluations";
  EXPECT_EQ(run.summary.steps, 5);
  EXPECT_EQ(run.summary.wall_seconds, 3);
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("not finished")));
}

TEST_F(RunHistoryTest, DamagedFilesBecomeNotes) {
  write_run();
  write("run/summary.json", R"({"method":"fr-g)");
  write("run/mistakes.json", "{}");
  write("run/gates.json", "[]");
  RunHistory run = read();
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("summary.json: cannot parse the file; it is truncated or corrupt"),
                                     HasSubstr("mistakes.json: not a valid mistakes file"),
                                     HasSubstr("gates.json: not a JSON object")));
  EXPECT_THAT(run.evaluations, SizeIs(2));
  write_run();
  write("run/metrics.jsonl", "{}\nno JSON\n");
  run = read();
  EXPECT_THAT(run.notes[0], HasSubstr("metrics.jsonl: 1 damaged line ignored"));
  EXPECT_TRUE(run.finished);
}

TEST_F(RunHistoryTest, RejectsOtherFolders) {
  EXPECT_THAT(error_of([&] { read_run_history(folder / "nothing"); }),
              HasSubstr("nothing: no such folder; expected a run folder"));
  fs::create_directories(folder / "run");
  EXPECT_THAT(error_of([&] { read(); }), HasSubstr("run: not a run folder: it contains neither metrics.jsonl"));
}

TEST_F(RunHistoryTest, NamesAreUniquePathSuffixes) {
  std::vector<RunHistory> runs(3);
  runs[0].folder = "/a/fast/seed-1";
  runs[1].folder = "/a/slow/seed-1";
  runs[2].folder = "/a/slow/seed-2";
  name_runs(runs);
  EXPECT_EQ(runs[0].name, "fast/seed-1");
  EXPECT_EQ(runs[1].name, "slow/seed-1");
  EXPECT_EQ(runs[2].name, "seed-2");
}

}  // namespace
}  // namespace frgan
