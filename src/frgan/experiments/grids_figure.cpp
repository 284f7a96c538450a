#include "frgan/experiments/grids_figure.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/random.h"
#include "frgan/io/files.h"
#include "frgan/io/picture_file.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCells = kGridColumns * kGridColumns;

// The pictures of a run's grid, uint8, 100 x S x S x 3.
at::Tensor cells_of(const fs::path& grid, int64_t size) {
  const int64_t side = kGridColumns * (size + kGridGap) - kGridGap;
  const at::Tensor pixels = adopt(read_picture(grid, side, /*channels=*/3), {side, side, 3});
  std::vector<at::Tensor> cells;
  for (int64_t i = 0; i < kCells; ++i) {
    const int64_t top = i / kGridColumns * (size + kGridGap), left = i % kGridColumns * (size + kGridGap);
    cells.push_back(pixels.slice(0, top, top + size).slice(1, left, left + size));
  }
  return at::stack(cells);
}

// A run's grids, by step.
std::vector<fs::path> grids_of(const fs::path& run) {
  std::vector<fs::path> grids;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(run / "samples", missing)) {
    if (entry.path().extension() == ".png") grids.push_back(entry.path());
  }
  std::sort(grids.begin(), grids.end());
  if (grids.empty()) throw Error(fmt::format("{}: holds no grids of generated pictures", (run / "samples").string()));
  return grids;
}

at::Tensor real_cells(const Dataset& data) {
  const at::Tensor order = random_permutation(data.train.size(), random_key(1, Stream::kSampling));
  const at::Tensor pictures = data.train.pictures.index_select(0, order.slice(0, 0, kCells));
  return data.channels == 3 ? pictures : pictures.expand({-1, -1, -1, 3});
}

// "fr-gan-without-se"
std::string file_word(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
    if (!plain) c = '-';
  }
  return text;
}

// All grids as one picture with gaps of a third of a cell.
at::Tensor side_by_side(const std::vector<at::Tensor>& grids) {
  const int64_t size = grids.front().size(1), side = kGridColumns * (size + kGridGap) - kGridGap, gap = size / 3;
  const auto count = static_cast<int64_t>(grids.size());
  at::Tensor canvas = at::full({side, count * (side + gap) - gap, 3}, 255, at::kByte);
  for (int64_t g = 0; g < count; ++g) {
    for (int64_t i = 0; i < kCells; ++i) {
      const int64_t top = i / kGridColumns * (size + kGridGap);
      const int64_t left = g * (side + gap) + i % kGridColumns * (size + kGridGap);
      canvas.slice(0, top, top + size).slice(1, left, left + size).copy_(grids[static_cast<size_t>(g)][i]);
    }
  }
  return canvas;
}

}  // namespace

std::vector<fs::path> write_grids_figure(const fs::path& output, const std::string& name, const PlanResults& results,
                                         const Dataset& data,
                                         const std::function<fs::path(const PlannedRun&)>& run_folder) {
  constexpr int64_t kFilmed = 4;  // noise vectors
  ensure_directory(output);
  std::vector<fs::path> written;
  const auto write_grid = [&](const std::string& word, const at::Tensor& cells, int64_t columns) {
    written.push_back(output / fmt::format("{}-{}.png", name, word));
    write_pixel_grid(written.back(), cells.contiguous(), columns);
  };
  std::vector<at::Tensor> grids = {real_cells(data)};
  write_grid("real", grids.front(), kGridColumns);
  std::vector<at::Tensor> film;
  size_t frames = 0;
  for (const PlannedRun& run : results.runs()) {
    if (run.seed != 1 || run.section != 0) continue;
    const std::string& row = results.plan().rows[run.row].name;
    if (results.record_of(run) == nullptr) {
      throw Error(fmt::format("{}: the run of {} with seed 1 is not done", results.plan().name, row));
    }
    std::vector<at::Tensor> steps;
    for (const fs::path& grid : grids_of(run_folder(run))) steps.push_back(cells_of(grid, data.image_size));
    grids.push_back(steps.back());
    write_grid(file_word(row), grids.back(), kGridColumns);
    if (frames != 0 && frames != steps.size()) {
      throw Error(fmt::format("{}: holds {} grids, another row's run {}", run_folder(run).string(), steps.size(), frames));
    }
    frames = steps.size();
    const at::Tensor by_step = at::stack(steps);  // steps x 100 x S x S x 3
    film.push_back(by_step.slice(1, 0, kFilmed).transpose(0, 1).flatten(0, 1));
  }
  write_grid("film", at::cat(film), static_cast<int64_t>(frames));
  const at::Tensor all = side_by_side(grids).contiguous();
  written.push_back(output / (name + ".png"));
  write_png(written.back(), {all.data_ptr<uint8_t>(), static_cast<size_t>(all.numel())}, all.size(0), all.size(1), 3);
  return written;
}

}  // namespace frgan
