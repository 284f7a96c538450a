#include "frgan/report/image_grid.h"

#include <limits>

#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/picture_file.h"

namespace frgan {
namespace {

std::vector<int64_t> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kLong).flatten().contiguous();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

// Pictures of 2 x 2, grey, each of one shade.
at::Tensor shades(std::initializer_list<double> values) {
  std::vector<at::Tensor> pictures;
  for (const double value : values) pictures.push_back(at::full({1, 2, 2}, value));
  return at::stack(pictures);
}

TEST(ToPixels, RoundsAndLimits) {
  const at::Tensor row = at::tensor({-2.0F, -1.0F, 0.0F, 1.0F, 2.0F, 0.01F}).reshape({1, 1, 1, 6});
  EXPECT_EQ(numbers(to_pixels(row)), (std::vector<int64_t>{0, 0, 128, 255, 255, 129}));
}

TEST(ToPixels, PutsChannelsLast) {
  const at::Tensor rgb = at::tensor({-1.0F, -1.0F, 0.0F, 0.0F, 1.0F, 1.0F}).reshape({1, 3, 1, 2});
  const at::Tensor pixels = to_pixels(rgb);
  EXPECT_EQ(pixels.sizes(), (at::IntArrayRef{1, 1, 2, 3}));
  EXPECT_EQ(numbers(pixels), (std::vector<int64_t>{0, 128, 255, 0, 128, 255}));
}

TEST(ToPixels, UndoesTheNormalisationOfEveryPixelValue) {
  std::vector<float> values;
  for (int i = 0; i < 256; ++i) values.push_back(static_cast<float>(i) / 127.5F - 1);
  const std::vector<int64_t> pixels = numbers(to_pixels(at::tensor(values).reshape({1, 1, 16, 16})));
  for (int64_t i = 0; i < 256; ++i) EXPECT_EQ(pixels[static_cast<size_t>(i)], i);
}

TEST(ToPixels, RefusesWhatIsNotFinite) {
  EXPECT_THROW(to_pixels(shades({std::numeric_limits<double>::quiet_NaN()})), Error);
  EXPECT_THROW(to_pixels(shades({std::numeric_limits<double>::infinity()})), Error);
}

// Two by two places of 2 x 2 pixels and a gap of 2 make 6 x 6; the fourth place stays black.
TEST(WritePictureGrid, LaysPicturesRowByRowWithGaps) {
  const TemporaryFolder folder;
  const auto path = folder / "grid.png";
  write_picture_grid(path, shades({-0.5, 0.0, 1.0}), 2);
  const std::vector<uint8_t> p = read_picture(path, 6, 1);
  const std::vector<uint8_t> expected{64, 64, 0, 0, 128, 128, 64,  64,  0, 0, 128, 128, 0,   0,   0, 0, 0, 0,
                                      0,  0,  0, 0, 0,   0,   255, 255, 0, 0, 0,   0,   255, 255, 0, 0, 0, 0};
  EXPECT_EQ(p, expected);
}

TEST(WritePictureGrid, IsNoWiderThanItsPictures) {
  const TemporaryFolder folder;
  const auto path = folder / "one.png";
  write_picture_grid(path, shades({1.0}), 10);
  EXPECT_EQ(read_picture(path, 2, 1), std::vector<uint8_t>(4, 255));
}

TEST(WriteSeparatePictures, NumbersTheFiles) {
  const TemporaryFolder above;
  const auto folder = above / "separate";
  write_separate_pictures(folder, shades({-1.0, 1.0}), 7);
  EXPECT_EQ(read_picture(folder / "000007.png", 2, 1), std::vector<uint8_t>(4, 0));
  EXPECT_EQ(read_picture(folder / "000008.png", 2, 1), std::vector<uint8_t>(4, 255));
}

}  // namespace
}  // namespace frgan
