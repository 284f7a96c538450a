#include "frgan/io/mat_file.h"

#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <matio.h>

#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Writes a .mat file in MATLAB's format with libmatio.
class MatWriter {
 public:
  explicit MatWriter(std::filesystem::path path, mat_ft version = MAT_FT_MAT5)
      : path_(std::move(path)), mat_(Mat_CreateVer(path_.c_str(), nullptr, version)) {}
  MatWriter(const MatWriter&) = delete;
  MatWriter& operator=(const MatWriter&) = delete;
  ~MatWriter() { Mat_Close(mat_); }

  template <class Number>
  void write(const char* name, matio_classes type, matio_types stored, std::vector<size_t> shape,
             std::vector<Number> numbers, bool compressed) {
    matvar_t* variable =
        Mat_VarCreate(name, type, stored, static_cast<int>(shape.size()), shape.data(), numbers.data(), 0);
    ASSERT_EQ(Mat_VarWrite(mat_, variable, compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(variable);
  }
  void images(std::vector<size_t> shape, bool compressed = false, const char* name = "X") {
    std::vector<uint8_t> numbers(shape[0] * shape[1] * (shape.size() > 2 ? shape[2] : 1) *
                                 (shape.size() > 3 ? shape[3] : 1));
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<uint8_t>(i);
    write(name, MAT_C_UINT8, MAT_T_UINT8, std::move(shape), std::move(numbers), compressed);
  }
  void labels(const std::vector<uint8_t>& numbers, bool compressed = false) {
    write("y", MAT_C_UINT8, MAT_T_UINT8, {numbers.size(), 1}, numbers, compressed);
  }

 private:
  std::filesystem::path path_;
  mat_t* mat_;
};

// Writes three images of 2 x 2 pixels and 3 channels. Value i is i in the order of the file: height fastest, then
// width, channel and image.
void write_small(const std::filesystem::path& path, bool compressed) {
  MatWriter writer(path);
  writer.images({2, 2, 3, 3}, compressed);
  writer.labels({1, 10, 9}, compressed);
}

std::string mat_refusal(const std::filesystem::path& path) {
  return error_of([&] { read_mat_images(path); });
}

// The error for a file that `write` creates.
template <class Write>
std::string refusal_of(Write write) {
  const TemporaryFolder folder;
  {
    MatWriter writer(folder / "a.mat");
    write(writer);
  }
  return mat_refusal(folder / "a.mat");
}

TEST(MatFile, ReadsCompressedAndUncompressedFiles) {
  const TemporaryFolder folder;
  for (const bool compressed : {false, true}) {
    write_small(folder / "a.mat", compressed);
    const MatImages set = read_mat_images(folder / "a.mat");
    EXPECT_EQ(set.count, 3);
    EXPECT_EQ(set.height, 2);
    EXPECT_EQ(set.width, 2);
    EXPECT_EQ(set.channels, 3);
    // Position of a pixel in the file: row + 2 column + 4 channel + 12 image.
    EXPECT_THAT(set.images, ElementsAre(0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11,            //
                                        12, 16, 20, 14, 18, 22, 13, 17, 21, 15, 19, 23,  //
                                        24, 28, 32, 26, 30, 34, 25, 29, 33, 27, 31, 35));
    EXPECT_THAT(set.labels, ElementsAre(1, 0, 9));
  }
}

TEST(MatFile, ReadsRectangularImages) {
  const TemporaryFolder folder;
  {
    MatWriter writer(folder / "a.mat");
    writer.images({2, 3, 1, 1 + 1});
    writer.labels({5, 6});
  }
  const MatImages set = read_mat_images(folder / "a.mat");
  EXPECT_THAT(set.images, ElementsAre(0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11));
}

TEST(MatFile, ReadsLabelsOfAnyNumericType) {
  const auto labels_of = [](const auto& write) {
    const TemporaryFolder folder;
    {
      MatWriter writer(folder / "a.mat");
      writer.images({2, 2, 3, 2});
      write(writer);
    }
    return read_mat_images(folder / "a.mat").labels;
  };
  EXPECT_THAT(labels_of([](MatWriter& w) {
                w.write<double>("y", MAT_C_DOUBLE, MAT_T_DOUBLE, {2, 1}, {10.0, 3.0}, false);
              }),
              ElementsAre(0, 3));
  EXPECT_THAT(labels_of([](MatWriter& w) {
                w.write<double>("y", MAT_C_DOUBLE, MAT_T_DOUBLE, {1, 2}, {10.0, 3.0}, true);
              }),
              ElementsAre(0, 3));
  EXPECT_THAT(labels_of([](MatWriter& w) {
                w.write<int32_t>("y", MAT_C_INT32, MAT_T_INT32, {2, 1}, {1, 2}, false);
              }),
              ElementsAre(1, 2));
}

TEST(MatFile, RejectsLabelsOutOfRange) {
  const auto with = [](double label) {
    return refusal_of([&](MatWriter& w) {
      w.images({2, 2, 3, 2});
      w.write<double>("y", MAT_C_DOUBLE, MAT_T_DOUBLE, {2, 1}, {1, label}, false);
    });
  };
  EXPECT_THAT(with(0), HasSubstr("label 0 of image 2 is out of range; must be 1 to 10 (10 is the digit 0)"));
  EXPECT_THAT(with(11), HasSubstr("label 11 of image 2"));
  EXPECT_THAT(with(1.5), HasSubstr("label 1.5 of image 2"));
  EXPECT_THAT(with(std::nan("")), HasSubstr("label nan of image 2"));
  EXPECT_THAT(with(-1e300), HasSubstr("out of range"));
}

TEST(MatFile, RejectsOtherVariables) {
  EXPECT_THAT(
      refusal_of([](MatWriter& w) {
        w.images({2, 2, 3, 1 + 1});
      }),
      HasSubstr("a.mat: wrong variables: \"X\"; expected X and y; is this SVHN's train_32x32.mat or test_32x32.mat"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.images({2, 2, 3, 2}, false, "Z");
                w.labels({1, 2});
              }),
              HasSubstr("wrong variables: \"Z\", \"y\"; expected X and y"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.images({2, 2, 3, 2});
                w.labels({1, 2});
                w.images({2, 2}, true, "extra");
              }),
              HasSubstr("wrong variables: \"X\", \"y\", \"extra\""));
  EXPECT_THAT(refusal_of([](MatWriter&) {}), HasSubstr("wrong variables: none; expected X and y"));
}

TEST(MatFile, RejectsOtherShapesAndTypes) {
  const auto with = [](std::vector<size_t> shape, std::vector<uint8_t> labels) {
    return refusal_of([&](MatWriter& w) {
      w.images(shape);
      w.labels(labels);
    });
  };
  EXPECT_THAT(with({3, 32, 32}, {1}), HasSubstr("wrong shape of X: 3 x 32 x 32; expected 32 x 32 x 3 x N"));
  EXPECT_THAT(with({3, 4, 4, 2}, {1, 2}), HasSubstr("wrong shape of X: 3 x 4 x 4 x 2"));
  EXPECT_THAT(with({2, 2, 3, 0}, {}), HasSubstr("wrong shape of X: 2 x 2 x 3 x 0"));
  EXPECT_THAT(with({2, 2, 3, 2}, {1, 2, 3}), HasSubstr("wrong shape of y: 3 x 1; expected 2 x 1"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.write<double>("X", MAT_C_DOUBLE, MAT_T_DOUBLE, {1, 1, 1, 2}, {1, 2}, false);
                w.labels({1, 2});
              }),
              HasSubstr("X is not a uint8 array"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.images({2, 2, 3, 2});
                matvar_t* cell = nullptr;
                w.write<matvar_t*>("y", MAT_C_CELL, MAT_T_CELL, {1, 1}, {cell}, false);
              }),
              HasSubstr("a variable is not a plain numeric array"));
}

TEST(MatFile, RejectsFilesThatNeedTooMuchMemory) {
  EXPECT_THAT(
      refusal_of([](MatWriter& w) {
        w.images({2, 1025, 1, 1});
        w.labels({1});
      }),
      HasSubstr("X is too large: 2 x 1025 x 1 x 1; at most 1024 x 1024 pixels and 16777216 images are allowed"));
  const TemporaryFolder folder;
  write_small(folder / "a.mat", false);
  std::string bytes = read_file(folder / "a.mat");
  // The last variable, y, gets 8 more bytes than its numbers need.
  const size_t tag = bytes.rfind(std::string("\x0e\0\0\0", 4));
  ASSERT_NE(tag, std::string::npos);
  bytes[tag + 4] = static_cast<char>(bytes[tag + 4] + 8);
  write_file_safely(folder / "a.mat", bytes + std::string(8, '\0'));
  EXPECT_THAT(mat_refusal(folder / "a.mat"),
              HasSubstr("extra bytes in variable \"y\"; the file is truncated or corrupt"));
  bytes.resize(128);
  for (int i = 0; i <= 100; ++i) bytes += std::string("\x0e\0\0\0\0\0\0\0", 8);
  write_file_safely(folder / "a.mat", bytes);
  EXPECT_THAT(mat_refusal(folder / "a.mat"), HasSubstr("more than 100 variables; expected X and y"));
}

TEST(MatFile, RejectsOtherFiles) {
  const TemporaryFolder folder;
  EXPECT_THAT(mat_refusal(folder / "none.mat"), HasSubstr("none.mat: cannot read: No such file"));
  EXPECT_THAT(mat_refusal(folder.path()), HasSubstr("is a folder"));
  write_file_safely(folder / "a.mat", std::string_view("hello"));
  EXPECT_THAT(mat_refusal(folder / "a.mat"), HasSubstr("too small: 5 bytes; a MATLAB header has 128"));
  write_file_safely(folder / "a.mat", std::string(1000, 'x'));
  EXPECT_THAT(mat_refusal(folder / "a.mat"), HasSubstr("not a MATLAB 5.0 file"));
  write_file_safely(folder / "a.mat", std::string(124, ' ') + std::string("\0\2IM", 4));
  EXPECT_THAT(mat_refusal(folder / "a.mat"),
              HasSubstr("unsupported format: MATLAB 7.3; must be 5.0; save the file with save(..., '-v7')"));
}

TEST(MatFile, RejectsFilesTruncatedAnywhere) {
  const TemporaryFolder folder;
  for (const bool compressed : {false, true}) {
    write_small(folder / "whole.mat", compressed);
    const std::string whole = read_file(folder / "whole.mat");
    for (size_t size = 0; size < whole.size(); size += 3) {
      std::ofstream(folder / "truncated.mat", std::ios::binary) << whole.substr(0, size);
      EXPECT_THAT(mat_refusal(folder / "truncated.mat"),
                  AnyOf(HasSubstr("the file is truncated or corrupt; download it again"),
                        HasSubstr("a MATLAB header has 128"), HasSubstr("expected X and y")));
    }
  }
}

// Flips one bit of every byte. A compressed file has checksums: it is rejected unless the changed byte is unused.
TEST(MatFile, CorruptFilesNeverCrash) {
  const TemporaryFolder folder;
  ::testing::internal::CaptureStderr();
  for (const bool compressed : {false, true}) {
    write_small(folder / "whole.mat", compressed);
    const MatImages expected = read_mat_images(folder / "whole.mat");
    const std::string whole = read_file(folder / "whole.mat");
    size_t refused = 0;
    for (size_t place = 124; place < whole.size(); ++place) {
      std::string corrupt = whole;
      corrupt[place] = static_cast<char>(corrupt[place] ^ 1 << place % 8);
      std::ofstream(folder / "corrupt.mat", std::ios::binary) << corrupt;
      try {
        const MatImages set = read_mat_images(folder / "corrupt.mat");
        if (compressed) {
          EXPECT_EQ(set.images, expected.images) << place;
          EXPECT_EQ(set.labels, expected.labels) << place;
        }
      } catch (const Error& error) {
        ++refused;
        EXPECT_THAT(error.what(), StartsWith((folder / "corrupt.mat").string()));
      }
    }
    EXPECT_GT(refused, compressed ? whole.size() - 124 - 5 : 50);
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST(MatFile, RejectsHugeShapes) {
  const TemporaryFolder folder;
  write_small(folder / "a.mat", false);
  std::string bytes = read_file(folder / "a.mat");
  // The dimensions 2, 2, 3, 3 of X.
  const size_t place = bytes.find(std::string("\2\0\0\0\2\0\0\0\3\0\0\0\3\0\0\0", 16));
  ASSERT_NE(place, std::string::npos);
  bytes.replace(place, 16, std::string("\xff\xff\xff\x7f\xff\xff\xff\x7f\3\0\0\0\3\0\0\0", 16));
  write_file_safely(folder / "a.mat", bytes);
  EXPECT_THAT(mat_refusal(folder / "a.mat"), HasSubstr("the file is truncated or corrupt"));
}

}  // namespace
}  // namespace frgan
