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

// A .mat file as MATLAB writes it, made by libmatio itself.
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

// Three images of 2 x 2 pixels and 3 channels; number i is i in the order of the file: height, width, channel,
// image.
void write_small(const std::filesystem::path& path, bool compressed) {
  MatWriter writer(path);
  writer.images({2, 2, 3, 3}, compressed);
  writer.labels({1, 10, 9}, compressed);
}

std::string refusal(const std::filesystem::path& path) {
  return error_of([&] { read_mat_images(path); });
}

// The refusal of a file that `write` makes.
template <class Write>
std::string refusal_of(Write write) {
  const TemporaryFolder folder;
  {
    MatWriter writer(folder / "a.mat");
    write(writer);
  }
  return refusal(folder / "a.mat");
}

TEST(MatFile, ImagesAndLabelsCompressedOrNot) {
  const TemporaryFolder folder;
  for (const bool compressed : {false, true}) {
    write_small(folder / "a.mat", compressed);
    const MatImages set = read_mat_images(folder / "a.mat");
    EXPECT_EQ(set.count, 3);
    EXPECT_EQ(set.height, 2);
    EXPECT_EQ(set.width, 2);
    EXPECT_EQ(set.channels, 3);
    // Pixel (row, column): file places row + 2 column + 4 channel + 12 image.
    EXPECT_THAT(set.images, ElementsAre(0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11,            //
                                        12, 16, 20, 14, 18, 22, 13, 17, 21, 15, 19, 23,  //
                                        24, 28, 32, 26, 30, 34, 25, 29, 33, 27, 31, 35));
    EXPECT_THAT(set.labels, ElementsAre(1, 0, 9));
  }
}

TEST(MatFile, OtherSizesThanSquares) {
  const TemporaryFolder folder;
  {
    MatWriter writer(folder / "a.mat");
    writer.images({2, 3, 1, 1 + 1});
    writer.labels({5, 6});
  }
  const MatImages set = read_mat_images(folder / "a.mat");
  EXPECT_THAT(set.images, ElementsAre(0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11));
}

TEST(MatFile, LabelsOfOtherTypes) {
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

TEST(MatFile, LabelsOutOfRange) {
  const auto with = [](double label) {
    return refusal_of([&](MatWriter& w) {
      w.images({2, 2, 3, 2});
      w.write<double>("y", MAT_C_DOUBLE, MAT_T_DOUBLE, {2, 1}, {1, label}, false);
    });
  };
  EXPECT_THAT(with(0), HasSubstr("label 0 of image 2 is out of range, expected 1 to 10 (10 is the digit 0)"));
  EXPECT_THAT(with(11), HasSubstr("label 11 of image 2"));
  EXPECT_THAT(with(1.5), HasSubstr("label 1.5 of image 2"));
  EXPECT_THAT(with(std::nan("")), HasSubstr("label nan of image 2"));
  EXPECT_THAT(with(-1e300), HasSubstr("out of range"));
}

TEST(MatFile, OtherVariables) {
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.images({2, 2, 3, 1 + 1});
              }),
              HasSubstr("a.mat: has the variables \"X\", expected X and y; is it train_32x32.mat or test_32x32.mat"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.images({2, 2, 3, 2}, false, "Z");
                w.labels({1, 2});
              }),
              HasSubstr("has the variables \"Z\", \"y\", expected X and y"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.images({2, 2, 3, 2});
                w.labels({1, 2});
                w.images({2, 2}, true, "extra");
              }),
              HasSubstr("has the variables \"X\", \"y\", \"extra\""));
  EXPECT_THAT(refusal_of([](MatWriter&) {}), HasSubstr("has the variables , expected X and y"));
}

TEST(MatFile, OtherShapesAndTypes) {
  const auto with = [](std::vector<size_t> shape, std::vector<uint8_t> labels) {
    return refusal_of([&](MatWriter& w) {
      w.images(shape);
      w.labels(labels);
    });
  };
  EXPECT_THAT(with({3, 32, 32}, {1}), HasSubstr("X has the shape 3 x 32 x 32, expected 32 x 32 x 3 x N"));
  EXPECT_THAT(with({3, 4, 4, 2}, {1, 2}), HasSubstr("X has the shape 3 x 4 x 4 x 2"));
  EXPECT_THAT(with({2, 2, 3, 0}, {}), HasSubstr("X has the shape 2 x 2 x 3 x 0"));
  EXPECT_THAT(with({2, 2, 3, 2}, {1, 2, 3}), HasSubstr("y has the shape 3 x 1, expected 2 x 1"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.write<double>("X", MAT_C_DOUBLE, MAT_T_DOUBLE, {1, 1, 1, 2}, {1, 2}, false);
                w.labels({1, 2});
              }),
              HasSubstr("X is no array of uint8"));
  EXPECT_THAT(refusal_of([](MatWriter& w) {
                w.images({2, 2, 3, 2});
                matvar_t* cell = nullptr;
                w.write<matvar_t*>("y", MAT_C_CELL, MAT_T_CELL, {1, 1}, {cell}, false);
              }),
              HasSubstr("a variable is no plain array of numbers"));
}

TEST(MatFile, OtherFiles) {
  const TemporaryFolder folder;
  EXPECT_THAT(refusal(folder / "none.mat"), HasSubstr("none.mat: cannot read: No such file"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("it is a folder"));
  write_file_safely(folder / "a.mat", std::string_view("hello"));
  EXPECT_THAT(refusal(folder / "a.mat"), HasSubstr("has 5 bytes, expected a MATLAB header of 128"));
  write_file_safely(folder / "a.mat", std::string(1000, 'x'));
  EXPECT_THAT(refusal(folder / "a.mat"), HasSubstr("is no MATLAB 5.0 file"));
  write_file_safely(folder / "a.mat", std::string(124, ' ') + std::string("\0\2IM", 4));
  EXPECT_THAT(refusal(folder / "a.mat"), HasSubstr("is a MATLAB 7.3 file, expected 5.0; save it by save(..., '-v7')"));
}

TEST(MatFile, AFileThatWasCutAnywhereIsRefused) {
  const TemporaryFolder folder;
  for (const bool compressed : {false, true}) {
    write_small(folder / "whole.mat", compressed);
    const std::string whole = read_file(folder / "whole.mat");
    for (size_t size = 0; size < whole.size(); size += 3) {
      std::ofstream(folder / "cut.mat", std::ios::binary) << whole.substr(0, size);
      EXPECT_THAT(refusal(folder / "cut.mat"),
                  AnyOf(HasSubstr("the file was cut short or altered; fetch it again"),
                        HasSubstr("expected a MATLAB header"), HasSubstr("expected X and y")));
    }
  }
}

// A bit of every byte is turned: a compressed file has checksums, so only bytes that nobody reads may differ.
TEST(MatFile, AnAlteredFileIsNeverACrash) {
  const TemporaryFolder folder;
  ::testing::internal::CaptureStderr();
  for (const bool compressed : {false, true}) {
    write_small(folder / "whole.mat", compressed);
    const MatImages expected = read_mat_images(folder / "whole.mat");
    const std::string whole = read_file(folder / "whole.mat");
    size_t refused = 0;
    for (size_t place = 124; place < whole.size(); ++place) {
      std::string altered = whole;
      altered[place] = static_cast<char>(altered[place] ^ 1 << place % 8);
      std::ofstream(folder / "altered.mat", std::ios::binary) << altered;
      try {
        const MatImages set = read_mat_images(folder / "altered.mat");
        if (compressed) {
          EXPECT_EQ(set.images, expected.images) << place;
          EXPECT_EQ(set.labels, expected.labels) << place;
        }
      } catch (const Error& error) {
        ++refused;
        EXPECT_THAT(error.what(), StartsWith((folder / "altered.mat").string()));
      }
    }
    EXPECT_GT(refused, compressed ? whole.size() - 124 - 5 : 50);
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST(MatFile, SizesThatWouldFillTheMemoryAreRefused) {
  const TemporaryFolder folder;
  write_small(folder / "a.mat", false);
  std::string bytes = read_file(folder / "a.mat");
  // The dimensions 2, 2, 3, 3 of X.
  const size_t place = bytes.find(std::string("\2\0\0\0\2\0\0\0\3\0\0\0\3\0\0\0", 16));
  ASSERT_NE(place, std::string::npos);
  bytes.replace(place, 16, std::string("\xff\xff\xff\x7f\xff\xff\xff\x7f\3\0\0\0\3\0\0\0", 16));
  write_file_safely(folder / "a.mat", bytes);
  EXPECT_THAT(refusal(folder / "a.mat"), HasSubstr("the file was cut short or altered"));
}

}  // namespace
}  // namespace frgan
