// Tests record framing and file names; tests/cli/tensorboard_test.py reads a whole run with TensorBoard.
#include "frgan/report/tensorboard.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

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

class TensorBoard : public testing::Test {
 protected:
  std::vector<fs::path> files() const {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder.path())) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  TensorBoardLog log(int64_t first_step) const { return {folder.path(), first_step, {{"method", "fr-gan"}}}; }

  const TemporaryFolder folder;
};

TEST_F(TensorBoard, FirstRecordHasFormatVersion) {
  log(0);
  ASSERT_THAT(files(), SizeIs(1));
  EXPECT_TRUE(is_event_file(files()[0])) << files()[0];
  EXPECT_FALSE(is_event_file("metrics.jsonl"));
  const std::string text = read_file(files()[0]);
  EXPECT_EQ(text.substr(0, 8), std::string("\x1a\0\0\0\0\0\0\0", 8));  // 26 bytes: time (9), step 0 (2), version (15)
  EXPECT_EQ(text.substr(21, 17), std::string("\x10\0\x1a\x0d"
                                             "brain.Event:2",
                                             17));
}

TEST_F(TensorBoard, ResumingKeepsEventsUpToCheckpoint) {
  const auto record_at = [](int64_t step) {
    return EvaluationRecord{step, EvaluatedImages::kTest, 0.25, 0.2, 0.3, 100};
  };
  {
    TensorBoardLog events = log(0);
    events.write(record_at(10));
  }
  const std::string until_checkpoint = read_file(files()[0]);
  GrowingFile(files()[0]).append(bytes_of(until_checkpoint.substr(0, 20)));  // a truncated record
  log(10);
  ASSERT_THAT(files(), SizeIs(2));  // sorted by name, although both files were created within a second
  EXPECT_EQ(read_file(files()[0]), until_checkpoint);
  EXPECT_THAT(log(9).damaged(), IsEmpty());
  ASSERT_THAT(files(), SizeIs(3));
  EXPECT_LT(read_file(files()[0]).size(), until_checkpoint.size());
  log(0);
  EXPECT_THAT(files(), SizeIs(1));  // a run from step 0 has no earlier events
}

TEST_F(TensorBoard, ResumingRemovesDamagedEvents) {
  std::string before, written;
  {
    TensorBoardLog events = log(0);
    before = read_file(files()[0]);
    events.write(EvaluationRecord{10, EvaluatedImages::kTest, 0.25, 0.2, 0.3, 100});
    written = read_file(files()[0]);
    events.write(EvaluationRecord{20, EvaluatedImages::kTest, 0.15, 0.1, 0.2, 100});
  }
  const fs::path file = files()[0];
  const std::string intact = read_file(file);
  const auto kept_with_bit_flipped_at = [&](size_t place) {
    std::string damaged = intact;
    damaged[place] ^= 1;
    write_file_safely(file, damaged);
    EXPECT_THAT(log(20).damaged(), ElementsAre(file));
    return read_file(file);
  };
  const std::string last = intact.substr(written.size());
  EXPECT_EQ(kept_with_bit_flipped_at(before.size() + 20), before + last);  // in the event
  EXPECT_EQ(kept_with_bit_flipped_at(before.size() + 3), before);          // in its length
  EXPECT_EQ(kept_with_bit_flipped_at(intact.size() - 1), written);         // in the last checksum
}

TEST_F(TensorBoard, RejectsInvalidPng) {
  write_file_safely(folder / "grid.png", std::string_view("no PNG"));
  TensorBoardLog events = log(0);
  EXPECT_THAT(error_of([&] { events.write_samples(1, folder / "grid.png"); }), HasSubstr("grid.png: not a PNG file"));
}

}  // namespace
}  // namespace frgan
