#include "frgan/report/progress.h"

#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

namespace frgan {
namespace {

StepRecord progress_record(int64_t step, double seconds_left = -1) {
  return {.step = step,
          .epoch = 0.25,
          .losses = {{"supervised", 0.5}},
          .learning_rate = 3e-4,
          .images_per_second = 512.4,
          .seconds = 10,
          .seconds_left = seconds_left};
}

// An output whose clock and width are set by the test.
struct FakeTerminal {
  double now = 100;
  int columns = 0;
  std::ostringstream text;
  ProgressOutput output() {
    return {text, [this] { return columns; }, [this] { return now; }};
  }
  std::string take() {
    std::string taken = text.str();
    text.str("");
    return taken;
  }
};

TEST(ProgressLine, ContainsAllValues) {
  StepRecord record = progress_record(1200);
  record.epoch = 1.64;
  record.losses = {{"supervised", 0.42341}, {"consistency", 1.5e-7}, {"generator", std::nan("")}};
  record.seconds_left = 840;
  EXPECT_EQ(progress_line(record, 4000),
            "step 1200/4000 (30 %)  epoch 1.6  supervised 0.4234  consistency 1.5e-07  generator nan  lr 3.0e-04  "
            "512 images/s  14 min left");
  EXPECT_EQ(progress_line(progress_record(1), 3),
            "step 1/3 (33 %)  epoch 0.2  supervised 0.5  lr 3.0e-04  512 images/s");
}

TEST(DurationText, ChoosesTheUnit) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min");
  EXPECT_EQ(duration_text(840), "14 min");
  EXPECT_EQ(duration_text(3599), "1 h 00 min");
  EXPECT_EQ(duration_text(3 * 3600 + 5 * 60), "3 h 05 min");
  EXPECT_EQ(duration_text(52 * 3600), "2 d 4 h");
}

TEST(Progress, QuietPrintsOnlyWarnings) {
  FakeTerminal terminal;
  Progress progress(terminal.output(), 100, /*quiet=*/true);
  progress.show(progress_record(10));
  progress.say("step 10: test error 4.00 %");
  progress.show(progress_record(100));
  EXPECT_EQ(terminal.take(), "");
  progress.warn("training diverged");
  EXPECT_EQ(terminal.take(), "warning: training diverged\n");
}

TEST(Progress, WritesPlainLinesAtMostEveryTenSeconds) {
  FakeTerminal terminal;
  {
    Progress progress(terminal.output(), 100);
    terminal.now += 4;
    progress.show(progress_record(10));
    EXPECT_EQ(terminal.take(), progress_line(progress_record(10), 100) + "\n");
    terminal.now += 9;
    progress.show(progress_record(20));
    EXPECT_EQ(terminal.take(), "");
    terminal.now += 1;
    progress.show(progress_record(30));
    EXPECT_EQ(terminal.take(), progress_line(progress_record(30), 100) + "\n");
    progress.show(progress_record(100));
    EXPECT_EQ(terminal.take(), progress_line(progress_record(100), 100) + "\n");  // the last record is shown at once
  }
  EXPECT_EQ(terminal.take(), "");
}

TEST(Progress, RedrawsLineOnTerminal) {
  FakeTerminal terminal;
  terminal.columns = 200;
  {
    Progress progress(terminal.output(), 100);
    terminal.now += 1;
    progress.show(progress_record(10));
    EXPECT_EQ(terminal.take(), progress_line(progress_record(10), 100));
    terminal.now += 0.125;
    progress.show(progress_record(11));
    EXPECT_EQ(terminal.take(), "");
    terminal.now += 0.125;
    progress.show(progress_record(12));
    EXPECT_EQ(terminal.take(), "\r\x1b[J" + progress_line(progress_record(12), 100));
  }
  EXPECT_EQ(terminal.take(), "\n");
}

TEST(Progress, WrapsAndRedrawsSeveralRows) {
  FakeTerminal terminal;
  terminal.columns = 28;
  Progress progress(terminal.output(), 100);
  terminal.now += 1;
  progress.show(progress_record(10, 9));
  EXPECT_EQ(terminal.take(), "step 10/100 (10 %)\nepoch 0.2  supervised 0.5\nlr 3.0e-04  512 images/s\n9 s left");
  terminal.now += 1;
  progress.show(progress_record(20));
  EXPECT_TRUE(terminal.take().starts_with("\x1b[3A\r\x1b[Jstep 20/100 (20 %)\n"));
}

TEST(ProgressRows, FitFrGanLossesInto80Columns) {
  StepRecord record = progress_record(384);
  record.losses = {{"supervised", 0.6924}, {"real", 0.4477}, {"fake", 0.88}, {"consistency", 1e-5}, {"generator", 1}};
  record.seconds_left = 60;
  const std::string line = progress_line(record, 400);
  std::string joined;
  for (const std::string& row : progress_rows(line, 79)) {
    EXPECT_LE(row.size(), 79U);
    joined += (joined.empty() ? "" : "  ") + row;
  }
  EXPECT_EQ(joined, line);
  EXPECT_EQ(progress_rows("a long part  b", 4), (std::vector<std::string>{"a lo", "b"}));
}

TEST(Progress, PrintsMessagesAboveTheLine) {
  FakeTerminal terminal;
  terminal.columns = 200;
  Progress progress(terminal.output(), 100);
  progress.say("begin");
  EXPECT_EQ(terminal.take(), "begin\n");
  progress.show(progress_record(10));
  terminal.take();
  progress.say("checkpoint written");
  EXPECT_EQ(terminal.take(), "\r\x1b[Jcheckpoint written\n" + progress_line(progress_record(10), 100));
}

TEST(Progress, PrintsMessagesBetweenPlainLines) {
  FakeTerminal terminal;
  Progress progress(terminal.output(), 100);
  progress.show(progress_record(10));
  terminal.take();
  progress.say("checkpoint written");
  EXPECT_EQ(terminal.take(), "checkpoint written\n");
}

TEST(TerminalWidth, IsZeroWithoutTerminal) {
  EXPECT_EQ(terminal_width(-1), 0);
}

}  // namespace
}  // namespace frgan
