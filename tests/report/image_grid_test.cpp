#include "frgan/report/image_grid.h"

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

// Uniform gray images of 2 x 2 pixels.
at::Tensor shades(std::initializer_list<double> values) {
  std::vector<at::Tensor> images;
  for (const double value : values) images.push_back(at::full({1, 2, 2}, value));
  return at::stack(images);
}

// Two by two cells of 2 x 2 pixels with a gap of 2 pixels give 6 x 6 pixels. The fourth cell stays black.
TEST(WriteImageGrid, PlacesImagesRowByRowWithGaps) {
  const TemporaryFolder folder;
  const auto path = folder / "grid.png";
  write_image_grid(path, shades({-0.5, 0.0, 1.0}), 2);
  const std::vector<uint8_t> p = read_image(path, 6, 1);
  const std::vector<uint8_t> expected{64, 64, 0, 0, 128, 128, 64,  64,  0, 0, 128, 128, 0,   0,   0, 0, 0, 0,
                                      0,  0,  0, 0, 0,   0,   255, 255, 0, 0, 0,   0,   255, 255, 0, 0, 0, 0};
  EXPECT_EQ(p, expected);
}

TEST(WriteImageGrid, HasNoEmptyColumns) {
  const TemporaryFolder folder;
  const auto path = folder / "one.png";
  write_image_grid(path, shades({1.0}), 10);
  EXPECT_EQ(read_image(path, 2, 1), std::vector<uint8_t>(4, 255));
}

TEST(WriteSeparateImages, NumbersTheFiles) {
  const TemporaryFolder above;
  const auto folder = above / "separate";
  write_separate_images(folder, shades({-1.0, 1.0}), 7);
  EXPECT_EQ(read_image(folder / "000007.png", 2, 1), std::vector<uint8_t>(4, 0));
  EXPECT_EQ(read_image(folder / "000008.png", 2, 1), std::vector<uint8_t>(4, 255));
}

}  // namespace
}  // namespace frgan
