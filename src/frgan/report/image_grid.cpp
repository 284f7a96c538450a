#include "frgan/report/image_grid.h"

#include <algorithm>
#include <span>

#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "frgan/data/augment.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/report/grid_layout.h"

namespace frgan {
namespace {

// Writes a contiguous H x W x C uint8 tensor as a PNG file.
void write_tensor(const std::filesystem::path& path, const at::Tensor& pixels) {
  const std::span<const uint8_t> bytes(pixels.data_ptr<uint8_t>(), static_cast<size_t>(pixels.numel()));
  write_png(path, bytes, pixels.size(0), pixels.size(1), pixels.size(2));
}

}  // namespace

void write_image_grid(const std::filesystem::path& path, const at::Tensor& images, int64_t columns) {
  write_pixel_grid(path, to_pixels(images), columns);
}

void write_pixel_grid(const std::filesystem::path& path, const at::Tensor& pixels, int64_t columns) {
  const int64_t count = pixels.size(0), height = pixels.size(1), width = pixels.size(2);
  columns = std::min(columns, count);
  const int64_t rows = (count + columns - 1) / columns;
  const at::Tensor grid = at::zeros(
      {rows * (height + kGridGap) - kGridGap, columns * (width + kGridGap) - kGridGap, pixels.size(3)}, at::kByte);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t top = i / columns * (height + kGridGap), left = i % columns * (width + kGridGap);
    grid.narrow(0, top, height).narrow(1, left, width).copy_(pixels[i]);
  }
  write_tensor(path, grid);
}

void write_separate_images(const std::filesystem::path& folder, const at::Tensor& images, int64_t first) {
  ensure_directory(folder);
  const at::Tensor pixels = to_pixels(images);
  for (int64_t i = 0; i < pixels.size(0); ++i) {
    write_tensor(folder / fmt::format("{:06}.png", first + i), pixels[i]);
  }
}

}  // namespace frgan
