// Writes images as PNG files.
#pragma once

#include <cstdint>
#include <filesystem>

#include "frgan/core/image_shape.h"

namespace frgan {

// Writes N >= 1 images into one PNG, row by row, with black gaps of 2 pixels. There are no empty columns.
//
//   write_image_grid(run / "samples" / "step-00004000.png", {pixels, /*image_size=*/32, /*channels=*/3},
//   /*columns=*/10);
void write_image_grid(const std::filesystem::path& path, const ImageView& images, int64_t columns);

// Writes each image to its own file: FOLDER/000000.png, 000001.png, ...; numbering starts at `first`. Creates the
// folder.
void write_separate_images(const std::filesystem::path& folder, const ImageView& images, int64_t first = 0);

}  // namespace frgan
