#include "frgan/report/run_log.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

class RunLogTest : public testing::Test {
 protected:
  std::string text() const { return read_file(path_); }
  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "metrics.jsonl";
};

StepRecord record_at(int64_t step) {
  return {.step = step,
          .epoch = 0.5,
          .losses = {{"supervised", 0.25}, {"generator", std::nan("")}},
          .learning_rate = 0.001,
          .images_per_second = 400,
          .seconds = 12.5};
}

constexpr const char* kFirst =
    R"({"step":50,"epoch":0.5,"losses":{"supervised":0.25,"generator":null},"learning_rate":0.001,"images_per_second":400.0,"seconds":12.5,"crc32c":"e3816580"})"
    "\n";
constexpr const char* kSecond =
    R"({"step":100,"test_error":0.125,"error_low":0.1,"error_high":0.15,"images":5000,"crc32c":"59586adb"})"
    "\n";

TEST_F(RunLogTest, WritesTheDocumentedColumns) {
  RunLog log(path_, 0);
  log.write(record_at(50));
  EXPECT_EQ(text(), kFirst);  // written at once, without buffering
  log.write(EvaluationRecord{100, EvaluatedImages::kTest, 0.125, 0.1, 0.15, 5000});
  EXPECT_EQ(text(), fmt::format("{}{}", kFirst, kSecond));
  log.write(EvaluationRecord{100, EvaluatedImages::kDev, 0.125, 0.1, 0.15, 500});
  EXPECT_NE(text().find(R"("dev_error":0.125)"), std::string::npos);
}

// What a resumed run must know.
TEST_F(RunLogTest, KnowsEvaluationsLossesAndSkippedUpdates) {
  {
    RunLog log(path_, 0);
    StepRecord record = record_at(50);
    record.skipped = SkippedUpdates{.skipped = 3, .all = 100};
    log.write(record);
    record.step = 100;
    log.write(record);
    log.write(EvaluationRecord{100, EvaluatedImages::kTest, 0.125, 0.1, 0.15, 5000});
    EXPECT_EQ(log.skipped_updates(), 6);
  }
  const RunLog log(path_, 100);
  EXPECT_EQ(log.skipped_updates(), 6);
  EXPECT_TRUE(log.has_evaluation(EvaluatedImages::kTest, 100));
  EXPECT_FALSE(log.has_evaluation(EvaluatedImages::kTest, 101));
  EXPECT_FALSE(log.has_evaluation(EvaluatedImages::kDev, 100));
  ASSERT_EQ(log.last_losses().size(), 2U);
  EXPECT_EQ(log.last_losses()[0].second, 0.25);
  EXPECT_TRUE(std::isnan(log.last_losses()[1].second));
  EXPECT_EQ(RunLog(path_, 50).skipped_updates(), 3);
}

TEST_F(RunLogTest, DropsLinesAfterCheckpoint) {
  {
    RunLog log(path_, 0);
    log.write(record_at(50));
    log.write(EvaluationRecord{100, EvaluatedImages::kTest, 0.125, 0.1, 0.15, 5000});
    log.write(record_at(101));
  }
  std::ofstream(path_, std::ios::app) << R"({"step": 15)";  // line truncated by a killed process
  RunLog log(path_, 100);
  EXPECT_EQ(text(), fmt::format("{}{}", kFirst, kSecond));
  EXPECT_EQ(log.lines(), 2);
  RunLog earlier(path_, 99);
  EXPECT_EQ(text(), kFirst);
  EXPECT_EQ(earlier.lines(), 1);
  EXPECT_EQ(earlier.damaged_lines(), 0);
}

}  // namespace
}  // namespace frgan
