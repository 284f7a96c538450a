#include "frgan/report/image_grid.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/report/grid_layout.h"

namespace frgan {

void write_image_grid(const std::filesystem::path& path, const ImageView& images, int64_t columns) {
  const int64_t size = images.image_size, step = size + kGridGap, row_bytes = size * images.channels;
  columns = std::min(columns, images.size());
  const int64_t rows = (images.size() + columns - 1) / columns;
  const int64_t height = rows * step - kGridGap, width = columns * step - kGridGap;
  std::vector<uint8_t> grid(static_cast<size_t>(height * width * images.channels));
  for (int64_t i = 0; i < images.size(); ++i) {
    const int64_t top = i / columns * step, left = i % columns * step;
    for (int64_t y = 0; y < size; ++y) {
      std::copy_n(images[i].pixels.begin() + y * row_bytes, row_bytes,
                  grid.begin() + ((top + y) * width + left) * images.channels);
    }
  }
  write_png(path, grid, height, width, images.channels);
}

void write_separate_images(const std::filesystem::path& folder, const ImageView& images, int64_t first) {
  ensure_directory(folder);
  for (int64_t i = 0; i < images.size(); ++i) {
    write_png(folder / fmt::format("{:06}.png", first + i), images[i].pixels, images.image_size, images.image_size,
              images.channels);
  }
}

}  // namespace frgan
