#include "frgan/report/run_images.h"

#include <filesystem>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/io/png_header.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int64_t kSize = 8, kStep = kSize + 2;  // image size and distance between images, pixels
constexpr size_t kNoLimit = 1 << 24;             // bytes, more than any test needs

// Incompressible pixels of a grid of 10 columns.
std::vector<uint8_t> noise(int64_t rows, uint32_t state) {
  std::vector<uint8_t> pixels(static_cast<size_t>((rows * kStep - 2) * (10 * kStep - 2) * 3));
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return pixels;
}

std::vector<int64_t> steps_of(const RunHistory& run) {
  std::vector<int64_t> steps;
  for (const SampleGrid& grid : run.samples) steps.push_back(grid.step);
  return steps;
}

size_t image_bytes_of(const std::vector<RunHistory>& runs) {
  size_t bytes = 0;
  for (const RunHistory& run : runs) {
    bytes += run.mistakes_png.size();
    for (const SampleGrid& grid : run.samples) bytes += grid.png.size();
  }
  return bytes * 4 / 3;
}

PngHeader header_of(const std::string& png) {
  return read_png_header(bytes_of(png), "grid");
}

class RunImagesTest : public testing::Test {
 protected:
  // A run with 50 mistakes and four grids of 100 images.
  RunHistory run_with_images(const std::string& name) const {
    RunHistory run;
    run.folder = folder / name;
    run.mistakes.emplace();
    run.mistakes->shown.resize(50);
    std::iota(run.mistakes->shown.begin(), run.mistakes->shown.end(), int64_t{0});
    fs::create_directories(run.folder / "samples");
    write_grid(run.folder / "mistakes.png", 5);
    for (const int step : {5, 10, 15, 20}) write_grid(run.folder / fmt::format("samples/step-{:08}.png", step), 10);
    return run;
  }
  static void write_grid(const fs::path& path, int64_t rows) {
    write_png(path, noise(rows, static_cast<uint32_t>(rows)), rows * kStep - 2, 10 * kStep - 2, 3);
  }
  std::vector<RunHistory> read(size_t count, size_t bytes) const {
    std::vector<RunHistory> runs;
    for (size_t i = 0; i < count; ++i) runs.push_back(run_with_images(fmt::format("run-{}", i)));
    read_images(runs, bytes);
    return runs;
  }

  const TemporaryFolder folder;
};

TEST_F(RunImagesTest, SingleRunShowsAllMistakesAndThreeRowsOfEachGrid) {
  const RunHistory run = read(1, kNoLimit)[0];
  EXPECT_EQ(run.shown_mistakes, 50U);
  EXPECT_EQ(header_of(run.mistakes_png).height, 5 * kStep - 2);
  EXPECT_THAT(steps_of(run), ElementsAre(5, 10, 15, 20));
  EXPECT_EQ(run.grids, 4U);
  EXPECT_EQ(run.sample_images, 30U);
  const PngHeader header = header_of(run.samples[0].png);
  EXPECT_EQ(header.height, 3 * kStep - 2);
  EXPECT_EQ(header.width, 10 * kStep - 2);
  std::vector<uint8_t> first = noise(10, 10);
  first.resize(static_cast<size_t>(header.height * header.width * 3));
  EXPECT_EQ(decode_pixels(bytes_of(run.samples[0].png), header.height, header.width, 3, "grid"), first);
  EXPECT_THAT(run.notes, IsEmpty());
}

TEST_F(RunImagesTest, RunsShareTheBytesEqually) {
  size_t before = 51;
  for (const size_t bytes : {400'000, 200'000, 100'000}) {
    const std::vector<RunHistory> runs = read(6, bytes);
    EXPECT_LT(image_bytes_of(runs), bytes);
    EXPECT_GT(image_bytes_of(runs), bytes / 3);
    EXPECT_LT(runs[0].shown_mistakes, before);
    before = runs[0].shown_mistakes;
    for (const RunHistory& run : runs) {
      EXPECT_EQ(run.shown_mistakes, before);
      EXPECT_EQ(run.samples.back().step, 20);
      EXPECT_FALSE(run.images_omitted);
    }
  }
}

TEST_F(RunImagesTest, SmallLimitShowsFirstRunsOnly) {
  const std::vector<RunHistory> runs = read(6, 16'000);
  EXPECT_LT(image_bytes_of(runs), 16'000U);
  EXPECT_EQ(runs[0].shown_mistakes, 5U);
  EXPECT_EQ(header_of(runs[0].mistakes_png).width, 5 * kStep - 2);
  EXPECT_EQ(runs[0].sample_images, 5U);
  EXPECT_FALSE(runs[0].images_omitted);
  EXPECT_TRUE(runs[5].images_omitted);
  EXPECT_THAT(runs[5].mistakes_png, IsEmpty());
  EXPECT_THAT(runs[5].samples, IsEmpty());
  EXPECT_EQ(runs[5].grids, 4U);
  EXPECT_EQ(image_bytes_of(read(6, 0)), 0U);
}

TEST_F(RunImagesTest, EarlierGridsAreEvenlySpaced) {
  const size_t all = image_bytes_of(read(1, kNoLimit));
  const RunHistory run = read(1, all + 9'000)[0];  // captions take 17 kB, a grid of 30 images 11 kB
  EXPECT_EQ(run.shown_mistakes, 50U);
  EXPECT_THAT(steps_of(run), ElementsAre(5, 10, 20));
}

TEST_F(RunImagesTest, UnreadableFilesBecomeNotes) {
  std::vector<RunHistory> runs{run_with_images("run")};
  write_file_safely(runs[0].folder / "samples/step-00000020.png", "no PNG");
  write_file_safely(runs[0].folder / "mistakes.png", "none");
  read_images(runs, kNoLimit);
  EXPECT_THAT(runs[0].notes,
              ElementsAre(HasSubstr("mistakes.png: not a PNG file"), HasSubstr("step-00000020.png: not a PNG file")));
  EXPECT_THAT(runs[0].samples, IsEmpty());
  EXPECT_FALSE(runs[0].images_omitted);
}

// The page shows each mistake by the place of its cell, so that a wrong size would give view boxes of size 0 or less.
TEST_F(RunImagesTest, MistakesThatAreNoGridBecomeANote) {
  for (const auto& [height, width] :
       {std::pair{5 * kStep - 2, kStep}, {5 * kStep, 10 * kStep - 2}, {4 * kStep - 2, 10 * kStep - 2}, {6, 6}}) {
    std::vector<RunHistory> runs{run_with_images("run")};
    write_png(runs[0].folder / "mistakes.png", std::vector<uint8_t>(static_cast<size_t>(height * width * 3), 7), height,
              width, 3);
    read_images(runs, kNoLimit);
    EXPECT_THAT(runs[0].mistakes_png, IsEmpty());
    EXPECT_EQ(runs[0].shown_mistakes, 0U);
    EXPECT_THAT(runs[0].notes,
                ElementsAre(HasSubstr(fmt::format("mistakes.png: invalid size {}x{}: not a grid of 50 square images, "
                                                  "10 per row; the file is corrupt or was edited",
                                                  width, height))));
    EXPECT_THAT(runs[0].samples, SizeIs(4));
  }
}

TEST_F(RunImagesTest, ImagesThatAreNoGridsAreKeptWhole) {
  std::vector<RunHistory> runs{run_with_images("run")};
  fs::remove_all(runs[0].folder / "samples");
  fs::remove(runs[0].folder / "mistakes.png");
  write_png(runs[0].folder / "step-00000007.png", std::vector<uint8_t>(33 * 21, 7), 33, 21, 1);
  read_images(runs, kNoLimit);
  ASSERT_THAT(runs[0].samples, SizeIs(1));
  EXPECT_EQ(header_of(runs[0].samples[0].png).height, 33);
  EXPECT_EQ(runs[0].sample_images, 0U);
  EXPECT_THAT(runs[0].mistakes_png, IsEmpty());
}

}  // namespace
}  // namespace frgan
