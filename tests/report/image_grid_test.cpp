#include "frgan/report/image_grid.h"

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

// Images of 2 x 2, grey, each of one shade.
at::Tensor shades(std::initializer_list<double> values) {
  std::vector<at::Tensor> images;
  for (const double value : values) images.push_back(at::full({1, 2, 2}, value));
  return at::stack(images);
}

// Two by two places of 2 x 2 pixels and a gap of 2 make 6 x 6; the fourth place stays black.
TEST(WriteImageGrid, LaysImagesRowByRowWithGaps) {
  const TemporaryFolder folder;
  const auto path = folder / "grid.png";
  write_image_grid(path, shades({-0.5, 0.0, 1.0}), 2);
  const std::vector<uint8_t> p = read_image(path, 6, 1);
  const std::vector<uint8_t> expected{64, 64, 0, 0, 128, 128, 64,  64,  0, 0, 128, 128, 0,   0,   0, 0, 0, 0,
                                      0,  0,  0, 0, 0,   0,   255, 255, 0, 0, 0,   0,   255, 255, 0, 0, 0, 0};
  EXPECT_EQ(p, expected);
}

TEST(WriteImageGrid, IsNoWiderThanItsImages) {
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
