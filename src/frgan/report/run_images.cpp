#include "frgan/report/run_images.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/io/png_header.h"
#include "frgan/report/grid_layout.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// A decoded grid of square images, or another image, which is one cell.
struct Grid {
  int64_t height = 0, width = 0, channels = 0;
  int64_t size = 0, columns = 0, rows = 0;  // of a cell in pixels, and cells
  std::vector<uint8_t> pixels;
};

// `columns` are those of the grid where they are known.
Grid read_grid(const fs::path& path, int64_t columns) {
  const std::string png = read_file(path);
  const PngHeader header = read_png_header(bytes_of(png), path.string());
  Grid grid{header.height, header.width, header.channels < 3 ? 1 : 3, 0, 1, 1, {}};
  grid.pixels = decode_pixels(bytes_of(png), grid.height, grid.width, grid.channels, path.string());
  const int64_t size = (grid.width + kGridGap) / columns - kGridGap;
  if (size > 0 && (grid.width + kGridGap) % columns == 0 && (grid.height + kGridGap) % (size + kGridGap) == 0) {
    grid.columns = columns;
    grid.rows = (grid.height + kGridGap) / (size + kGridGap);
  }
  return grid;
}

// Its first cells: whole rows, or part of the first.
std::string first_cells(const Grid& grid, int64_t cells) {
  const int64_t columns = std::min(cells, grid.columns),
                rows = std::min((cells + grid.columns - 1) / grid.columns, grid.rows);
  const auto side = [](int64_t whole, int64_t count, int64_t of) { return (whole + kGridGap) / of * count - kGridGap; };
  const int64_t height = rows == grid.rows ? grid.height : side(grid.height, rows, grid.rows);
  const int64_t width = columns == grid.columns ? grid.width : side(grid.width, columns, grid.columns);
  std::vector<uint8_t> pixels;
  for (int64_t y = 0; y < height; ++y) {
    const auto row = grid.pixels.begin() + y * grid.width * grid.channels;
    pixels.insert(pixels.end(), row, row + width * grid.channels);
  }
  return encode_png(pixels, height, width, grid.channels);
}

// What an image takes of a page: base64, and the text beside it.
size_t room_of(const std::string& png, size_t captions, size_t caption_bytes) {
  return png.empty() ? 0 : png.size() / 3 * 4 + captions * caption_bytes;
}
constexpr size_t kMistakeText = 320, kGridText = 200;  // bytes

// Images of each run: of its mistakes, and of a grid.
struct Amount {
  int64_t mistakes, generated;
};
constexpr Amount kAmounts[] = {{50, 30}, {40, 30}, {30, 20}, {20, 20}, {20, 10}, {10, 10}, {5, 5}};

// A run's images before their number is known.
struct Source {
  std::optional<Grid> mistakes, last;
  std::vector<std::pair<int64_t, fs::path>> grids;  // by step
};

// Nothing, and a note, where it cannot be read.
std::optional<Grid> try_grid(RunHistory& run, const fs::path& path, int64_t columns) {
  try {
    return read_grid(path, columns);
  } catch (const Error& error) {
    run.notes.emplace_back(error.what());
    return std::nullopt;
  }
}

Source read_source(RunHistory& run) {
  Source source;
  const auto shown = run.mistakes ? static_cast<int64_t>(run.mistakes->shown.size()) : 0;
  const fs::path mistakes = run.folder / "mistakes.png";
  if (shown > 0 && fs::exists(mistakes)) source.mistakes = try_grid(run, mistakes, std::min(kGridColumns, shown));
  source.grids = sample_grids(run.folder);
  if (!source.grids.empty()) source.last = try_grid(run, source.grids.back().second, kGridColumns);
  return source;
}

// Puts so many of them into the record, and returns what they take.
size_t take(RunHistory& run, const Source& source, const Amount& amount) {
  size_t room = 0;
  if (source.mistakes) {
    run.mistakes_png = first_cells(*source.mistakes, amount.mistakes);
    run.shown_mistakes = std::min(static_cast<size_t>(amount.mistakes), run.mistakes->shown.size());
    room += room_of(run.mistakes_png, run.shown_mistakes, kMistakeText);
  }
  if (source.last) {
    run.samples = {{source.grids.back().first, first_cells(*source.last, amount.generated)}};
    const int64_t whole = source.last->rows * source.last->columns;
    run.sample_images = amount.generated < whole ? static_cast<size_t>(amount.generated) : 0;
    room += room_of(run.samples[0].png, 1, kGridText);
  }
  return room;
}

void leave_out(RunHistory& run) {
  run.mistakes_png.clear();
  run.shown_mistakes = 0;
  run.samples.clear();
  run.images_left_out = true;
}

// The grids before the last, as many as fit.
void take_earlier(RunHistory& run, const Source& source, const Amount& amount, size_t room) {
  const size_t last = source.grids.size() - 1;
  const size_t one = std::max<size_t>(1, room_of(run.samples[0].png, 1, kGridText));
  for (size_t count = std::min(last, room / one); count > 0; --count) {
    std::vector<SampleGrid> earlier;
    size_t taken = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto& [step, path] = source.grids[i * last / count];
      const auto grid = try_grid(run, path, kGridColumns);
      if (!grid) return;
      earlier.push_back({step, first_cells(*grid, amount.generated)});
      taken += room_of(earlier.back().png, 1, kGridText);
    }
    if (taken > room) continue;
    run.samples.insert(run.samples.begin(), earlier.begin(), earlier.end());
    return;
  }
}

}  // namespace

std::vector<std::pair<int64_t, fs::path>> sample_grids(const fs::path& run) {
  std::vector<std::pair<int64_t, fs::path>> found;
  for (const fs::path& folder : {run / "samples", run}) {
    for (const fs::path& file : files_in(folder, ".png")) {
      if (const auto step = checkpoint_step(file.stem())) found.emplace_back(*step, file);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

void read_images(std::span<RunHistory> runs, size_t bytes) {
  std::vector<Source> sources;
  for (RunHistory& run : runs) {
    sources.push_back(read_source(run));
    run.grids = sources.back().grids.size();
  }
  std::vector<size_t> rooms(runs.size());
  size_t taken = 0;
  Amount amount{};
  for (const Amount& smaller : kAmounts) {
    amount = smaller;
    for (size_t i = 0; i < runs.size(); ++i) rooms[i] = take(runs[i], sources[i], amount);
    taken = std::accumulate(rooms.begin(), rooms.end(), size_t{0});
    if (taken <= bytes) break;
  }
  for (size_t i = runs.size(); i > 0 && taken > bytes; --i) {
    taken -= rooms[i - 1];
    if (rooms[i - 1] > 0) leave_out(runs[i - 1]);
  }
  const auto generating = std::ranges::count_if(runs, [](const RunHistory& run) { return !run.samples.empty(); });
  if (generating == 0) return;
  const size_t share = (bytes - taken) / static_cast<size_t>(generating);
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].samples.empty()) take_earlier(runs[i], sources[i], amount, share);
  }
}

}  // namespace frgan
