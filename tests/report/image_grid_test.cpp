#include "frgan/report/image_grid.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

// Uniform gray images of 2 x 2 pixels.
std::vector<uint8_t> shades(std::initializer_list<uint8_t> values) {
  std::vector<uint8_t> pixels;
  for (const uint8_t value : values) pixels.insert(pixels.end(), 4, value);
  return pixels;
}

// Two by two cells of 2 x 2 pixels with a gap of 2 pixels give 6 x 6 pixels. The fourth cell stays black.
TEST(WriteImageGrid, PlacesImagesRowByRowWithGaps) {
  const TemporaryFolder folder;
  const auto path = folder / "grid.png";
  const std::vector<uint8_t> pixels = shades({64, 128, 255});
  write_image_grid(path, {pixels, 2, 1}, 2);
  const std::vector<uint8_t> p = read_image(path, 6, 1);
  const std::vector<uint8_t> expected{64, 64, 0, 0, 128, 128, 64,  64,  0, 0, 128, 128, 0,   0,   0, 0, 0, 0,
                                      0,  0,  0, 0, 0,   0,   255, 255, 0, 0, 0,   0,   255, 255, 0, 0, 0, 0};
  EXPECT_EQ(p, expected);
}

TEST(WriteImageGrid, KeepsColors) {
  const TemporaryFolder folder;
  const auto path = folder / "colors.png";
  const std::vector<uint8_t> pixels{10, 20, 30, 40, 50, 60};  // two images of one pixel
  write_image_grid(path, {pixels, 1, 3}, 1);
  const std::string png = read_file(path);
  const std::vector<uint8_t> column = decode_pixels(bytes_of(png), 4, 1, 3, "colors.png");
  EXPECT_EQ(column, (std::vector<uint8_t>{10, 20, 30, 0, 0, 0, 0, 0, 0, 40, 50, 60}));
}

TEST(WriteImageGrid, HasNoEmptyColumns) {
  const TemporaryFolder folder;
  const auto path = folder / "one.png";
  const std::vector<uint8_t> pixels = shades({255});
  write_image_grid(path, {pixels, 2, 1}, 10);
  EXPECT_EQ(read_image(path, 2, 1), std::vector<uint8_t>(4, 255));
}

TEST(WriteSeparateImages, NumbersTheFiles) {
  const TemporaryFolder above;
  const auto folder = above / "separate";
  const std::vector<uint8_t> pixels = shades({0, 255});
  write_separate_images(folder, {pixels, 2, 1}, 7);
  EXPECT_EQ(read_image(folder / "000007.png", 2, 1), std::vector<uint8_t>(4, 0));
  EXPECT_EQ(read_image(folder / "000008.png", 2, 1), std::vector<uint8_t>(4, 255));
}

}  // namespace
}  // namespace frgan
