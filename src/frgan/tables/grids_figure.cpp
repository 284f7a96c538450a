#include "frgan/tables/grids_figure.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/device/random.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"
#include "frgan/report/markup.h"
#include "frgan/report/run_images.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCells = kGridColumns * kGridColumns;

// Cuts a run's grid file into its images: uint8, 100 x S x S x 3.
at::Tensor cells_of(const fs::path& grid, int64_t size) {
  const int64_t side = kGridColumns * (size + kGridGap) - kGridGap;
  const at::Tensor pixels = adopt(read_image(grid, side, /*channels=*/3), {side, side, 3});
  std::vector<at::Tensor> cells;
  for (int64_t i = 0; i < kCells; ++i) {
    const int64_t top = i / kGridColumns * (size + kGridGap), left = i % kGridColumns * (size + kGridGap);
    cells.push_back(pixels.slice(0, top, top + size).slice(1, left, left + size));
  }
  return at::stack(cells);
}

// 100 random training images, uint8, 100 x S x S x 3; gray images are repeated to 3 channels.
at::Tensor real_cells(const Dataset& data) {
  const at::Tensor order = random_permutation(data.train.size(), random_key(1, Stream::kSampling));
  const at::Tensor images = data.train.images.index_select(0, order.slice(0, 0, kCells));
  return data.channels == 3 ? images : images.expand({-1, -1, -1, 3});
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

// Joins all grids to one image, H x W x 3, with gaps of a third of a cell between them.
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

struct CaptionedImage {
  fs::path image;
  std::string caption;
};

constexpr std::string_view kStyle = R"(main { display: flex; flex-wrap: wrap; gap: 1.5rem; }
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
  return plain_page(title, kStyle, "<main>\n" + figures + "</main>\n");
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
        "{}: no grids of generated images (run records do not contain them); choose the folder of the runs with "
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
                                         const Dataset& data,
                                         const std::function<fs::path(const PlannedRun&)>& run_folder) {
  constexpr int64_t kFilmed = 4;  // noise vectors
  check_grids(results, run_folder);
  ensure_directory(output);
  std::vector<CaptionedImage> images;
  const auto write_grid = [&](const std::string& suffix, const at::Tensor& cells, int64_t columns,
                              std::string caption) {
    images.push_back({output / fmt::format("{}-{}.png", name, suffix), std::move(caption)});
    write_pixel_grid(images.back().image, cells.contiguous(), columns);
  };
  std::vector<at::Tensor> grids = {real_cells(data)};
  write_grid("real", grids.front(), kGridColumns, "real training images");
  std::vector<at::Tensor> film;
  std::string steps_text, rows_text;
  size_t frames = 0;
  for (const PlannedRun& run : results.runs()) {
    if (!is_shown(results, run)) continue;
    const std::string& row = results.plan().rows[run.row].name;
    std::vector<at::Tensor> steps;
    steps_text.clear();
    for (const auto& [step, grid] : sample_grids(run_folder(run))) {
      steps.push_back(cells_of(grid, data.image_size));
      steps_text += fmt::format("{}{}", steps_text.empty() ? "" : ", ", step);
    }
    rows_text += (rows_text.empty() ? "" : ", then ") + row;
    grids.push_back(steps.back());
    write_grid(file_word(row), grids.back(), kGridColumns, fmt::format("{}, {} steps", row, run.steps));
    if (frames != 0 && frames != steps.size()) {
      throw Error(fmt::format("{}: {} image grids, but another row's run has {}", run_folder(run).string(),
                              steps.size(), frames));
    }
    frames = steps.size();
    const at::Tensor by_step = at::stack(steps);  // steps x 100 x S x S x 3
    film.push_back(by_step.slice(1, 0, kFilmed).transpose(0, 1).flatten(0, 1));
  }
  write_grid("film", at::cat(film), static_cast<int64_t>(frames),
             fmt::format("{} noise vectors after {} steps: {}", kFilmed, steps_text, rows_text));
  const at::Tensor all = side_by_side(grids).contiguous();
  const fs::path together = output / (name + ".png"), page = output / (name + ".html");
  write_png(together, {all.data_ptr<uint8_t>(), static_cast<size_t>(all.numel())}, all.size(0), all.size(1), 3);
  write_file_safely(page, page_of(results.plan().title, images));
  std::vector<fs::path> written = {page, together};
  for (const CaptionedImage& image : images) written.push_back(image.image);
  return written;
}

}  // namespace frgan
