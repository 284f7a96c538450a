#include "frgan/data/svhn.h"

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <matio.h>

#include "../io/temporary_folder.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Writes a file of size x size x 3 images. Byte i of X, in MATLAB's order, is i mod 251.
void write_mat(const std::filesystem::path& path, size_t size, std::vector<uint8_t> labels) {
  mat_t* const mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  ASSERT_NE(mat, nullptr);
  const auto add = [&](const char* name, std::vector<size_t> shape, std::vector<uint8_t>& values) {
    matvar_t* const variable =
        Mat_VarCreate(name, MAT_C_UINT8, MAT_T_UINT8, static_cast<int>(shape.size()), shape.data(), values.data(), 0);
    EXPECT_EQ(Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(variable);
  };
  std::vector<uint8_t> images(size * size * 3 * labels.size());
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<uint8_t>(i % 251);
  add("X", {size, size, 3, labels.size()}, images);
  add("y", {labels.size(), 1}, labels);
  Mat_Close(mat);
}

TEST(Svhn, ReadsBothFiles) {
  const TemporaryFolder folder;
  write_mat(folder / "train_32x32.mat", 32, {1, 10, 9});
  write_mat(folder / "test_32x32.mat", 32, {5, 2});
  const Dataset data = read_svhn(folder.path());
  EXPECT_EQ(data.name, "svhn");
  EXPECT_EQ(data.classes(), 10);
  EXPECT_EQ(data.train.images.sizes(), (at::IntArrayRef{3, 32, 32, 3}));
  EXPECT_TRUE(data.train.labels.equal(at::tensor({1, 0, 9}, at::kLong)));  // 10 is the digit 0
  EXPECT_TRUE(data.test.labels.equal(at::tensor({5, 2}, at::kLong)));
  // Row 4, column 5, channel 2 of image 1 is byte 4 + 32 (5 + 32 (2 + 3 * 1)).
  EXPECT_EQ(data.train.images[1][4][5][2].item<int64_t>(), (4 + 32 * (5 + 32 * (2 + 3))) % 251);
  EXPECT_THAT(data.notes, ElementsAre("train_32x32.mat has 3 images; the official file has 73257",
                                      "test_32x32.mat has 2 images; the official file has 26032"));
}

TEST(Svhn, RejectsOtherFiles) {
  const TemporaryFolder folder;
  write_mat(folder / "train_32x32.mat", 32, {1, 2});
  EXPECT_THAT(error_of([&] { read_svhn(folder.path()); }), HasSubstr("test_32x32.mat"));
  write_mat(folder / "test_32x32.mat", 16, {1, 2});
  EXPECT_THAT(error_of([&] { read_svhn(folder.path()); }),
              HasSubstr("test_32x32.mat: images of 16x16x3; expected 32x32x3; is this the cropped-digits file?"));
}

}  // namespace
}  // namespace frgan
