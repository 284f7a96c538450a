#include "frgan/tables/grids_figure.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/markup.h"
#include "frgan/report/run_images.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kChannels = 3;
constexpr int64_t kFilmed = 4;  // noise vectors in the film

using Cell = std::vector<uint8_t>;  // one image, S x S x 3

// Height or width of `count` images of this size with gaps between them.
int64_t side_of(int64_t count, int64_t size) {
  return count * (size + kGridGap) - kGridGap;
}

// An image that cells are drawn on and cut from, H x W x 3.
class Canvas {
 public:
  Canvas(int64_t height, int64_t width, std::vector<uint8_t> pixels)
      : height_(height), width_(width), pixels_(std::move(pixels)) {}
  // Of one gray value.
  Canvas(int64_t height, int64_t width, uint8_t gray)
      : Canvas(height, width, std::vector<uint8_t>(static_cast<size_t>(height * width * kChannels), gray)) {}

  // Draws the cells row by row, with their left edge at `left`.
  void draw(const std::vector<Cell>& cells, int64_t size, int64_t columns, int64_t left = 0) {
    for (size_t i = 0; i < cells.size(); ++i) {
      const auto cell = static_cast<int64_t>(i);
      const int64_t top = cell / columns * (size + kGridGap);
      for (int64_t y = 0; y < size; ++y) {
        std::copy_n(cells[i].begin() + y * size * kChannels, size * kChannels,
                    pixels_.begin() + offset(top + y, left + cell % columns * (size + kGridGap)));
      }
    }
  }
  Cell cut(int64_t top, int64_t left, int64_t size) const {
    Cell cell;
    for (int64_t y = 0; y < size; ++y) {
      const auto line = pixels_.begin() + offset(top + y, left);
      cell.insert(cell.end(), line, line + size * kChannels);
    }
    return cell;
  }
  void write(const fs::path& path) const { write_png(path, pixels_, height_, width_, kChannels); }

 private:
  int64_t offset(int64_t y, int64_t x) const { return (y * width_ + x) * kChannels; }

  int64_t height_, width_;
  std::vector<uint8_t> pixels_;
};

// Cuts a run's grid file into its images.
std::vector<Cell> cells_of(const fs::path& grid, int64_t size) {
  const int64_t side = side_of(kGridColumns, size);
  const Canvas canvas(side, side, read_image(grid, side, kChannels));
  std::vector<Cell> cells;
  for (int64_t i = 0; i < kGridsFigureImages; ++i) {
    cells.push_back(canvas.cut(i / kGridColumns * (size + kGridGap), i % kGridColumns * (size + kGridGap), size));
  }
  return cells;
}

std::vector<Cell> cells_of(const SquareImages& images) {
  const auto bytes = static_cast<size_t>(images.size * images.size * kChannels);
  std::vector<Cell> cells;
  for (size_t first = 0; first + bytes <= images.pixels.size(); first += bytes) {
    const std::span<const uint8_t> pixels = std::span(images.pixels).subspan(first, bytes);
    cells.emplace_back(pixels.begin(), pixels.end());
  }
  return cells;
}

void write_grid(const fs::path& path, const std::vector<Cell>& cells, int64_t size, int64_t columns) {
  const int64_t count = std::ssize(cells);
  columns = std::min(columns, count);
  Canvas canvas(side_of((count + columns - 1) / columns, size), side_of(columns, size), uint8_t{0});
  canvas.draw(cells, size, columns);
  canvas.write(path);
}

// A row's name as a part of a file name: "fr-gan-without-se".
std::string file_word(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
    if (!plain) c = '-';
  }
  return text;
}

// Writes all grids side by side, with white gaps of a third of a cell between them.
void write_side_by_side(const fs::path& path, const std::vector<std::vector<Cell>>& grids, int64_t size) {
  const int64_t side = side_of(kGridColumns, size), step = side + size / 3;
  Canvas canvas(side, std::ssize(grids) * step - size / 3, uint8_t{255});
  for (size_t i = 0; i < grids.size(); ++i) {
    canvas.draw(grids[i], size, kGridColumns, static_cast<int64_t>(i) * step);
  }
  canvas.write(path);
}

struct CaptionedImage {
  fs::path image;
  std::string caption;
};

constexpr std::string_view kFigureStyle = R"(main { display: flex; flex-wrap: wrap; gap: 1.5rem; }
figure { margin: 0; }
img { max-width: 100%; image-rendering: pixelated; }
)";

// An HTML page with the images embedded, so that it is one file.
std::string page_of(const std::string& title, const std::vector<CaptionedImage>& images) {
  std::string figures;
  for (const auto& [image, caption] : images) {
    figures += fmt::format("<figure><img alt=\"{0}\" src=\"{1}\"><figcaption>{0}</figcaption></figure>\n",
                           escaped(caption), png_address(read_file(image)));
  }
  return plain_page(title, kFigureStyle, "<main>\n" + figures + "</main>\n");
}

bool is_shown(const PlanResults& results, const PlannedRun& run) {
  return run.seed == 1 && run.section == 0 && results.record_of(run) != nullptr;
}

// Throws an Error if no run is finished, or if a finished run has no grids.
void check_grids(const PlanResults& results, const std::function<fs::path(const PlannedRun&)>& run_folder) {
  bool any = false;
  for (const PlannedRun& run : results.runs()) {
    if (!is_shown(results, run)) continue;
    any = true;
    if (!sample_grids(run_folder(run)).empty()) continue;
    throw Error(fmt::format(
        "{}: no grids of generated images, and run records do not contain them. Choose the folder of the runs with "
        "--runs, or delete the record runs/{}.json of the results to run it again",
        (run_folder(run) / kSamplesFolder).string(), run.name));
  }
  if (any) return;
  const std::string& section = results.plan().sections.front().title;
  throw Error(fmt::format("{}: nothing to draw: no finished run with seed 1{}{}", results.plan().name,
                          section.empty() ? "" : " and ", section));
}

}  // namespace

std::vector<fs::path> write_grids_figure(const fs::path& output, const std::string& name, const PlanResults& results,
                                         const SquareImages& real,
                                         const std::function<fs::path(const PlannedRun&)>& run_folder) {
  check_grids(results, run_folder);
  ensure_directory(output);
  std::vector<CaptionedImage> images;
  const auto add_grid = [&](const std::string& suffix, const std::vector<Cell>& cells, int64_t columns,
                            std::string caption) {
    images.push_back({output / fmt::format("{}-{}.png", name, suffix), std::move(caption)});
    write_grid(images.back().image, cells, real.size, columns);
  };
  std::vector<std::vector<Cell>> grids = {cells_of(real)};
  add_grid("real", grids.front(), kGridColumns, "real training images");
  std::vector<Cell> film;
  std::string steps_text, rows_text;
  size_t frames = 0;
  for (const PlannedRun& run : results.runs()) {
    if (!is_shown(results, run)) continue;
    const std::string& row = results.plan().rows[run.row].name;
    std::vector<std::vector<Cell>> steps;
    steps_text.clear();
    for (const auto& [step, grid] : sample_grids(run_folder(run))) {
      steps.push_back(cells_of(grid, real.size));
      steps_text += fmt::format("{}{}", steps_text.empty() ? "" : ", ", step);
    }
    rows_text += (rows_text.empty() ? "" : ", then ") + row;
    grids.push_back(steps.back());
    add_grid(file_word(row), grids.back(), kGridColumns, fmt::format("{}, {} steps", row, run.steps));
    if (frames != 0 && frames != steps.size()) {
      throw Error(fmt::format("{}: {} image grids, but another row's run has {}", run_folder(run).string(),
                              steps.size(), frames));
    }
    frames = steps.size();
    for (size_t noise = 0; noise < kFilmed; ++noise) {
      for (const std::vector<Cell>& cells : steps) film.push_back(cells[noise]);
    }
  }
  add_grid("film", film, static_cast<int64_t>(frames),
           fmt::format("{} noise vectors after {} steps: {}", kFilmed, steps_text, rows_text));
  const fs::path together = output / (name + ".png"), page = output / (name + ".html");
  write_side_by_side(together, grids, real.size);
  write_file_safely(page, page_of(results.plan().title, images));
  std::vector<fs::path> written = {page, together};
  for (const CaptionedImage& image : images) written.push_back(image.image);
  return written;
}

}  // namespace frgan
