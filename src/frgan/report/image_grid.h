// Writes images as PNG files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace frgan {

// Writes N images (float, N x C x H x W, range -1 to 1) into one PNG, row by row, with black gaps of 2 pixels. C is 1
// or 3; N is at least 1.
//
//   write_image_grid(run / "samples" / "step-00004000.png", generator_output, /*columns=*/10);
void write_image_grid(const std::filesystem::path& path, const at::Tensor& images, int64_t columns);
// The same for uint8 images, N x H x W x C on the CPU.
void write_pixel_grid(const std::filesystem::path& path, const at::Tensor& pixels, int64_t columns);

// Writes each image to its own file: FOLDER/000000.png, 000001.png, ...; numbering starts at `first`. Creates the
// folder.
void write_separate_images(const std::filesystem::path& folder, const at::Tensor& images, int64_t first = 0);

}  // namespace frgan
