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
#include "frgan/core/run_files.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/io/png_header.h"
#include "frgan/report/grid_layout.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// A decoded grid of square images. Any other image counts as a grid of one cell.
struct Grid {
  int64_t height = 0, width = 0, channels = 0;
  int64_t size = 0, columns = 0, rows = 0;  // pixels per cell side; number of cells
  std::vector<uint8_t> pixels;
};

// `columns`: number of columns if the file is a grid. If the size does not match, the file counts as one cell.
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

// Cuts out the first cells as a PNG: whole rows, or the start of the first row.
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

// Bytes of an image in the page: base64 data and captions.
size_t page_bytes(const std::string& png, size_t captions, size_t caption_bytes) {
  return png.empty() ? 0 : png.size() / 3 * 4 + captions * caption_bytes;
}
constexpr size_t kMistakeText = 320, kGridText = 200;  // bytes of one caption, without the name of a file

// Bytes of a caption with the longest name of a file, which is in it twice.
size_t mistake_caption(const Mistakes& found) {
  size_t longest = 0;
  for (const Mistake& mistake : found.mistakes) longest = std::max(longest, mistake.file.size());
  return kMistakeText + 2 * longest;
}

// Number of images of each run: mistakes, and cells of each grid of generated images.
struct ImageCounts {
  int64_t mistakes, generated;
};
constexpr ImageCounts kImageCounts[] = {{50, 30}, {40, 30}, {30, 20}, {20, 20}, {20, 10}, {10, 10}, {5, 5}};

// All images of a run, before their number is limited.
struct Source {
  std::optional<Grid> mistakes, last;
  std::vector<std::pair<int64_t, fs::path>> grids;  // (step, file), by step
};

// Adds a note and returns nothing if the file cannot be read.
std::optional<Grid> try_grid(RunHistory& run, const fs::path& path, int64_t columns) {
  try {
    return read_grid(path, columns);
  } catch (const Error& error) {
    run.notes.emplace_back(error.what());
    return std::nullopt;
  }
}

// The grid of the run's mistakes. The page refers to single cells, so other images are omitted with a note.
std::optional<Grid> mistakes_grid(RunHistory& run) {
  const auto shown = run.mistakes ? static_cast<int64_t>(run.mistakes->shown.size()) : 0;
  const fs::path path = run.folder / kMistakesImage;
  if (shown == 0 || !fs::exists(path)) return std::nullopt;
  const int64_t columns = std::min(kGridColumns, shown), rows = (shown + columns - 1) / columns;
  std::optional<Grid> grid = try_grid(run, path, columns);
  if (grid && (grid->columns != columns || grid->rows != rows)) {
    run.notes.push_back(
        fmt::format("{}: invalid size {}x{}: not a grid of {} square images, {} per row; the file is "
                    "corrupt or was edited",
                    path.string(), grid->width, grid->height, shown, columns));
    return std::nullopt;
  }
  return grid;
}

Source read_source(RunHistory& run) {
  Source source;
  source.mistakes = mistakes_grid(run);
  source.grids = sample_grids(run.folder);
  if (!source.grids.empty()) source.last = try_grid(run, source.grids.back().second, kGridColumns);
  return source;
}

// Sets the run's mistakes and its last grid, limited to `counts`. Returns their bytes in the page.
size_t set_images(RunHistory& run, const Source& source, const ImageCounts& counts) {
  size_t bytes = 0;
  if (source.mistakes) {
    run.mistakes_png = first_cells(*source.mistakes, counts.mistakes);
    run.shown_mistakes = std::min(static_cast<size_t>(counts.mistakes), run.mistakes->shown.size());
    bytes += page_bytes(run.mistakes_png, run.shown_mistakes, mistake_caption(*run.mistakes));
  }
  if (source.last) {
    run.samples = {{source.grids.back().first, first_cells(*source.last, counts.generated)}};
    const int64_t whole = source.last->rows * source.last->columns;
    run.sample_images = counts.generated < whole ? static_cast<size_t>(counts.generated) : 0;
    bytes += page_bytes(run.samples[0].png, 1, kGridText);
  }
  return bytes;
}

void omit_images(RunHistory& run) {
  run.mistakes_png.clear();
  run.shown_mistakes = 0;
  run.samples.clear();
  run.images_omitted = true;
}

// Adds grids before the last, evenly spaced, as many as fit into `bytes`.
void add_earlier_grids(RunHistory& run, const Source& source, const ImageCounts& counts, size_t bytes) {
  const size_t last = source.grids.size() - 1;
  const size_t one = std::max<size_t>(1, page_bytes(run.samples[0].png, 1, kGridText));
  for (size_t count = std::min(last, bytes / one); count > 0; --count) {
    std::vector<SampleGrid> earlier;
    size_t taken = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto& [step, path] = source.grids[i * last / count];
      const auto grid = try_grid(run, path, kGridColumns);
      if (!grid) return;
      earlier.push_back({step, first_cells(*grid, counts.generated)});
      taken += page_bytes(earlier.back().png, 1, kGridText);
    }
    if (taken > bytes) continue;
    run.samples.insert(run.samples.begin(), earlier.begin(), earlier.end());
    return;
  }
}

}  // namespace

std::vector<std::pair<int64_t, fs::path>> sample_grids(const fs::path& run) {
  std::vector<std::pair<int64_t, fs::path>> found;
  for (const fs::path& folder : {run / kSamplesFolder, run}) {
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
  std::vector<size_t> sizes(runs.size());
  size_t taken = 0;
  ImageCounts counts{};
  for (const ImageCounts& smaller : kImageCounts) {
    counts = smaller;
    for (size_t i = 0; i < runs.size(); ++i) sizes[i] = set_images(runs[i], sources[i], counts);
    taken = std::accumulate(sizes.begin(), sizes.end(), size_t{0});
    if (taken <= bytes) break;
  }
  for (size_t i = runs.size(); i > 0 && taken > bytes; --i) {
    taken -= sizes[i - 1];
    if (sizes[i - 1] > 0) omit_images(runs[i - 1]);
  }
  const auto generating = std::ranges::count_if(runs, [](const RunHistory& run) { return !run.samples.empty(); });
  if (generating == 0) return;
  const size_t share = (bytes - taken) / static_cast<size_t>(generating);
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].samples.empty()) add_earlier_grids(runs[i], sources[i], counts, share);
  }
}

}  // namespace frgan
