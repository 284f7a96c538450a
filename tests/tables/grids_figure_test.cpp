#include "frgan/tables/grids_figure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "../plans/run_records.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/io/png_header.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int64_t kSize = 16, kStep = kSize + 2;  // image size, and distance between images in a grid

Plan grids_plan() {
  return read_plan(R"(
title = "Grids"
show = "grids"
[budget.a]
steps = 200
[[row]]
name = "GAN without SE"
preset = "fr-gan-no-se"
[[row]]
name = "FR-GAN"
preset = "fr-gan"
)",
                   "small");
}

class GridsFigure : public testing::Test {
 protected:
  // Writes grids after 100 and 200 steps. Image i has the constant value base + i, plus 5 after 200 steps.
  void write_run(const std::string& name, int64_t base) const {
    constexpr int64_t kSide = 10 * kStep - 2;
    ensure_directory(folder / name / "samples");
    for (const int64_t step : {100, 200}) {
      std::vector<uint8_t> pixels;
      for (int64_t i = 0; i < kSide * kSide * 3; ++i) {
        const int64_t y = i / 3 / kSide, x = i / 3 % kSide;
        const bool in_gap = y % kStep >= kSize || x % kStep >= kSize;
        pixels.push_back(static_cast<uint8_t>(in_gap ? 0 : base + y / kStep * 10 + x / kStep + (step == 200 ? 5 : 0)));
      }
      write_png(folder / name / "samples" / (step == 100 ? "step-00000100.png" : "step-00000200.png"), pixels, kSide,
                kSide, 3);
    }
  }
  std::vector<fs::path> write_figure(const std::vector<std::string>& done) const {
    std::vector<PlannedRun> runs;
    std::vector<RunRecord> records;
    for (const size_t row : {0u, 1u}) {
      PlannedRun run;
      run.row = row;
      run.key = run.name = row == 0 ? "no-se" : "fr-gan";
      run.steps = 200;
      runs.push_back(run);
    }
    for (const std::string& name : done) records.push_back(record_with(name, name, rows(10)));
    const Plan plan = grids_plan();
    return write_grids_figure(folder / "out", "figure", PlanResults(plan, plan.budgets[0], runs, records), real,
                              [&](const PlannedRun& run) { return folder / run.name; });
  }
  // The value of the image at this line and column of a grid.
  uint8_t value_in(const char* file, int64_t line, int64_t column) const {
    const std::string png = read_file(folder / "out" / file);
    const PngHeader header = read_png_header(bytes_of(png), file);
    const std::vector<uint8_t> pixels = decode_pixels(bytes_of(png), header.height, header.width, 3, file);
    return pixels.at(static_cast<size_t>(3 * ((line * kStep + 3) * header.width + column * kStep + 3)));
  }

  TemporaryFolder folder;
  SquareImages real{kSize, std::vector<uint8_t>(100 * kSize * kSize * 3, 77)};
};

TEST_F(GridsFigure, WritesFinalGridsAndFilm) {
  write_run("no-se", 0);
  write_run("fr-gan", 100);
  write_figure({"no-se", "fr-gan"});
  EXPECT_EQ(value_in("figure-gan-without-se.png", 2, 3), 23 + 5);
  EXPECT_EQ(value_in("figure-fr-gan.png", 9, 9), 199 + 5);
  // The film has a line for each of four noise vectors of each run, and a column for each step.
  EXPECT_EQ(value_in("figure-film.png", 3, 0), 3);
  EXPECT_EQ(value_in("figure-film.png", 3, 1), 3 + 5);
  EXPECT_EQ(value_in("figure-film.png", 4 + 2, 1), 102 + 5);
  EXPECT_THAT(read_file(folder / "out/figure.html"), HasSubstr("after 100, 200 steps: GAN without SE, then FR-GAN"));
  EXPECT_EQ(value_in("figure-real.png", 9, 9), 77);
}

TEST_F(GridsFigure, DrawsAllGridsSideBySide) {
  write_run("no-se", 0);
  write_run("fr-gan", 100);
  const std::vector<fs::path> written = write_figure({"no-se", "fr-gan"});
  ASSERT_EQ(written.size(), 6u);
  EXPECT_EQ(written[1].filename(), "figure.png");
  const std::string png = read_file(written[1]);
  const PngHeader header = read_png_header(bytes_of(png), "figure.png");
  constexpr int64_t kSide = 10 * kStep - 2, kGap = kSize / 3;
  EXPECT_EQ(header.height, kSide);
  ASSERT_EQ(header.width, 3 * kSide + 2 * kGap);
  const std::vector<uint8_t> pixels = decode_pixels(bytes_of(png), header.height, header.width, 3, "figure.png");
  const auto first_line = [&](int64_t x) { return pixels.at(static_cast<size_t>(3 * x)); };
  EXPECT_EQ(first_line(0), 77);
  EXPECT_EQ(first_line(kSize), 255) << "white between images";
  EXPECT_EQ(first_line(kSide), 255) << "white between grids";
  EXPECT_EQ(first_line(kSide + kGap), 5);
  EXPECT_EQ(first_line(2 * (kSide + kGap) + kStep), 106);
}

TEST_F(GridsFigure, LeavesOutRowsWithoutFinishedRun) {
  write_run("fr-gan", 100);
  write_figure({"fr-gan"});
  EXPECT_FALSE(fs::exists(folder / "out/figure-gan-without-se.png"));
  EXPECT_EQ(value_in("figure-film.png", 1, 1), 101 + 5);
  EXPECT_THAT(error_of([&] { write_figure({}); }), HasSubstr("small: nothing to draw: no finished run with seed 1"));
  EXPECT_THAT(error_of([&] {
                write_figure({"no-se", "fr-gan"});
              }),
              HasSubstr("no-se/samples: no grids of generated images"));
  EXPECT_FALSE(fs::exists(folder / "out/figure-gan-without-se.png"));
}

}  // namespace
}  // namespace frgan
