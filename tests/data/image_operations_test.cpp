#include "frgan/data/image_operations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../devices.h"
#include "../golden/golden_file.h"
#include "meta_kernels.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;
using enum ImageOperation;

// Operations of some images, or some operations of each.
ImageOperations narrow(const ImageOperations& operations, int64_t dim, int64_t start, int64_t length) {
  return {operations.codes.narrow(dim, start, length), operations.magnitudes.narrow(dim, start, length),
          operations.positions.narrow(dim, start, length)};
}

ImageOperations on(const at::Device& device, const ImageOperations& operations) {
  return {operations.codes.to(device), operations.magnitudes.to(device), operations.positions.to(device)};
}

at::Tensor changed(const at::Tensor& images, const ImageOperations& operations) {
  at::Tensor result = images.clone(at::MemoryFormat::Contiguous);
  const OperationLoop loop(operations, images.sizes());
  const int64_t size = images.numel() / std::max<int64_t>(images.size(0), 1);
  std::vector<uint8_t> buffer(size);
  for (int64_t i = 0; i < images.size(0); ++i) loop.apply(i, result.data_ptr<uint8_t>() + i * size, buffer.data());
  return result;
}

// The same operation for all images.
ImageOperations one_operation(int64_t count, ImageOperation operation, float magnitude, float x = 0.5, float y = 0.5) {
  return {at::full({count, 1}, static_cast<int32_t>(operation), at::kInt), at::full({count, 1}, magnitude, at::kFloat),
          at::tensor({x, y}).expand({count, 1, 2})};
}

// Changes an image with one channel, given and returned as rows of values.
using PixelRows = std::vector<std::vector<int>>;
PixelRows changed_rows(const PixelRows& rows, ImageOperation operation, float magnitude = 0, float x = 0.5,
                       float y = 0.5) {
  const auto height = static_cast<int64_t>(rows.size()), width = static_cast<int64_t>(rows[0].size());
  const at::Tensor image = at::empty({1, height, width, 1}, at::kByte);
  for (int64_t i = 0; i < height * width; ++i) {
    image.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(rows[i / width][i % width]);
  }
  const ImageOperations operations = one_operation(1, operation, magnitude, x, y);
  const at::Tensor result = changed(image, operations);
  EXPECT_TRUE(result.equal(apply_operations_by_operators(image, operations)));
  PixelRows found(height);
  for (int64_t i = 0; i < height * width; ++i) found[i / width].push_back(result.data_ptr<uint8_t>()[i]);
  return found;
}

const std::vector<std::string>& golden_sets() {
  static const std::vector<std::string> sets = {"32x32x3", "24x24x3", "16x16x1", "20x12x3", "9x13x1"};
  return sets;
}

struct GoldenCases {
  at::Tensor images, expected;
  ImageOperations operations;

  GoldenCases(const GoldenFile& file, const std::string& set)
      : images(file[set + ".images"].index_select(0, file[set + ".image"])),
        expected(file[set + ".expected"]),
        operations{file[set + ".codes"].to(at::kInt), file[set + ".magnitudes"].to(at::kFloat),
                   file[set + ".positions"].to(at::kFloat)} {}

  // One line for each case that differs.
  std::string differences(const at::Tensor& found) const {
    std::string lines;
    for (int64_t i = 0; i < found.size(0); ++i) {
      if (found[i].equal(expected[i])) continue;
      lines += "case " + std::to_string(i) + ":";
      for (int64_t j = 0; j < operations.codes.size(1); ++j) {
        lines += fmt::format(" {} {}", image_operations()[operations.codes[i][j].item<int>()].name,
                             operations.magnitudes[i][j].item<float>());
      }
      lines += fmt::format(": {} values differ\n", found[i].ne(expected[i]).sum().item<int64_t>());
    }
    return lines;
  }
};

// A reproducible batch: all operations with magnitudes up to a third beyond their ranges.
ImageOperations random_operations(int64_t count, int64_t steps) {
  const at::Tensor codes = at::randint(0, 16, {count, steps}, at::kInt);
  const at::Tensor magnitudes = at::empty({count, steps}, at::kFloat);
  for (int64_t i = 0; i < count * steps; ++i) {
    const OperationInfo& info = image_operations()[codes.data_ptr<int32_t>()[i]];
    const double u = at::rand({1}).item<double>() * 5 / 3 - 1.0 / 3;
    magnitudes.data_ptr<float>()[i] = static_cast<float>(info.low + u * (info.high - info.low));
  }
  return {codes, magnitudes, at::rand({count, steps, 2})};
}

TEST(ImageOperations, TableIsInTheOrderOfTheCodes) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < image_operations().size(); ++i) {
    const OperationInfo& info = image_operations()[i];
    EXPECT_EQ(static_cast<size_t>(info.operation), i) << info.name;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(info.magnitude.empty(), info.low == info.high) << info.name;
    EXPECT_LE(info.low, info.high) << info.name;
    if (info.is_signed()) {
      EXPECT_EQ(info.low, -info.high) << info.name;
    }
  }
  EXPECT_EQ(image_operations().size(), 16U);
  EXPECT_EQ(image_operations()[15].name, "cutout");
  EXPECT_EQ(image_operations()[7].high, 30);
}

TEST(ApplyOperations, MatchesPillow) {
  const GoldenFile file("operations");
  for (const std::string& set : golden_sets()) {
    const GoldenCases cases(file, set);
    EXPECT_EQ(cases.differences(changed(cases.images, cases.operations)), "") << set;
  }
}

TEST(ApplyOperations, GoldenFileHasEveryOperation) {
  const GoldenFile file("operations");
  for (const std::string& set : golden_sets()) {
    const at::Tensor codes = file[set + ".codes"];
    for (size_t code = 0; code < image_operations().size(); ++code) {
      EXPECT_TRUE(codes.eq(static_cast<int64_t>(code)).any().item<bool>()) << set << ' ' << code;
    }
  }
}

class OperationsByOperators : public OnDevice {};
INSTANTIATE_TEST_SUITE_P(On, OperationsByOperators, testing::ValuesIn(devices()), device_label);

TEST_P(OperationsByOperators, MatchPillow) {
  const GoldenFile file("operations");
  for (const std::string& set : golden_sets()) {
    const GoldenCases cases(file, set);
    const at::Tensor found = apply_operations_by_operators(cases.images.to(device), on(device, cases.operations));
    EXPECT_EQ(cases.differences(found.cpu()), "") << set;
  }
}

TEST_P(OperationsByOperators, MatchTheLoops) {
  at::manual_seed(1);
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{64, 32, 32, 3}, {64, 28, 28, 1}, {64, 5, 40, 3}}) {
    const at::Tensor images = at::randint(0, 256, shape, at::kByte);
    const ImageOperations operations = random_operations(shape[0], 3);
    const at::Tensor found = apply_operations_by_operators(images.to(device), on(device, operations));
    EXPECT_TRUE(found.cpu().equal(changed(images, operations))) << images.sizes();
  }
}

TEST_P(OperationsByOperators, KeepTheirInput) {
  const at::Tensor images = at::randint(0, 256, {3, 8, 8, 3}, at::kByte).to(device);
  const at::Tensor before = images.clone();
  const at::Tensor inverted = apply_operations_by_operators(images, on(device, one_operation(3, kInvert, 0)));
  EXPECT_TRUE(images.equal(before));
  EXPECT_TRUE(inverted.equal(255 - before));
  EXPECT_TRUE(inverted.is_contiguous());
  const ImageOperations none = narrow(on(device, one_operation(3, kInvert, 0)), 1, 0, 0);
  const at::Tensor copy = apply_operations_by_operators(images, none);
  EXPECT_TRUE(copy.equal(images));
  EXPECT_NE(copy.data_ptr(), images.data_ptr());
}

TEST(ApplyOperations, ChangesValues) {
  const PixelRows row = {{0, 60, 120, 180, 255}};
  EXPECT_EQ(changed_rows(row, kIdentity), row);
  EXPECT_EQ(changed_rows(row, kInvert), (PixelRows{{255, 195, 135, 75, 0}}));
  EXPECT_EQ(changed_rows(row, kSolarize, 0.5), (PixelRows{{0, 60, 120, 75, 0}}));
  EXPECT_EQ(changed_rows(row, kPosterize, 2.9F), (PixelRows{{0, 0, 64, 128, 192}}));
  EXPECT_EQ(changed_rows(row, kBrightness, 0.51F), (PixelRows{{0, 30, 61, 91, 130}}));
  EXPECT_EQ(changed_rows(row, kBrightness, 1.5), (PixelRows{{0, 90, 180, 255, 255}}));
  EXPECT_EQ(changed_rows(row, kContrast, 0.5), (PixelRows{{61, 91, 121, 151, 189}}));  // the mean is 123
  EXPECT_EQ(changed_rows(row, kColor, 0.5), row);
  EXPECT_EQ(changed_rows({{100, 110, 140}}, kAutoContrast), (PixelRows{{0, 63, 255}}));
}

TEST(ApplyOperations, BlendsColorsWithGray) {
  const at::Tensor red = at::tensor({255, 0, 0}, at::kByte).view({1, 1, 1, 3});
  const at::Tensor found = changed(red, one_operation(1, kColor, 0.5));  // gray of red: 0.299 * 255 = 76
  EXPECT_TRUE(found.flatten().equal(at::tensor({165, 38, 38}, at::kByte)));
}

TEST(ApplyOperations, EqualizesTheHistogram) {
  // 1,020 pixels with four values of equal frequency: 255 are not the highest, so the step is 3.
  PixelRows rows(30, std::vector<int>(34));
  for (int i = 0; i < 1020; ++i) rows[i / 34][i % 34] = 50 + i % 4;
  const PixelRows found = changed_rows(rows, kEqualize);
  EXPECT_EQ((std::vector<int>{found[0].begin(), found[0].begin() + 4}), (std::vector<int>{0, 85, 170, 255}));
}

TEST(ApplyOperations, SharpensTheInterior) {
  const PixelRows dot = {{0, 0, 0}, {0, 130, 0}, {0, 0, 0}};
  EXPECT_EQ(changed_rows(dot, kSharpness, 0)[1], (std::vector<int>{0, 50, 0}));  // 130 * 5 / 13
  EXPECT_EQ(changed_rows(dot, kSharpness, 0.5)[1], (std::vector<int>{0, 90, 0}));
  const PixelRows edge = {{130, 0, 0}, {0, 0, 0}, {0, 0, 0}};
  EXPECT_EQ(changed_rows(edge, kSharpness, 0), (PixelRows{{130, 0, 0}, {0, 10, 0}, {0, 0, 0}}));
}

TEST(ApplyOperations, MovesPixels) {
  const PixelRows rows = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  EXPECT_EQ(changed_rows(rows, kTranslateX, 0.3F), (PixelRows{{2, 3, 127}, {5, 6, 127}, {8, 9, 127}}));
  EXPECT_EQ(changed_rows(rows, kTranslateX, -0.3F), (PixelRows{{127, 1, 2}, {127, 4, 5}, {127, 7, 8}}));
  EXPECT_EQ(changed_rows(rows, kTranslateX, 0.16F), rows);  // less than half a pixel
  EXPECT_EQ(changed_rows(rows, kTranslateY, 0.3F), (PixelRows{{4, 5, 6}, {7, 8, 9}, {127, 127, 127}}));
  EXPECT_EQ(changed_rows(rows, kShearX, 1), (PixelRows{{2, 3, 127}, {6, 127, 127}, {127, 127, 127}}));
  EXPECT_EQ(changed_rows(rows, kShearX, 0.3F), (PixelRows{{1, 2, 3}, {4, 5, 6}, {8, 9, 127}}));
  EXPECT_EQ(changed_rows(rows, kShearY, 0.3F), (PixelRows{{1, 2, 6}, {4, 5, 9}, {7, 8, 127}}));
  EXPECT_EQ(changed_rows(rows, kRotate, 90), (PixelRows{{3, 6, 9}, {2, 5, 8}, {1, 4, 7}}));
  EXPECT_EQ(changed_rows(rows, kRotate, -90), (PixelRows{{7, 4, 1}, {8, 5, 2}, {9, 6, 3}}));
  EXPECT_EQ(changed_rows(rows, kRotate, 180), (PixelRows{{9, 8, 7}, {6, 5, 4}, {3, 2, 1}}));
  EXPECT_EQ(changed_rows(rows, kRotate, 360), rows);
  EXPECT_EQ(changed_rows({{1, 2, 3, 4}}, kRotate, 180), (PixelRows{{4, 3, 2, 1}}));
}

TEST(ApplyOperations, CutsOutASquare) {
  const PixelRows rows(4, std::vector<int>(4, 9));
  EXPECT_EQ(changed_rows(rows, kCutout, 0.5, 0.5, 0.25),
            (PixelRows{{9, 127, 127, 9}, {9, 127, 127, 9}, {9, 9, 9, 9}, {9, 9, 9, 9}}));
  EXPECT_EQ(changed_rows(rows, kCutout, 0.5, 0, 0),
            (PixelRows{{127, 9, 9, 9}, {9, 9, 9, 9}, {9, 9, 9, 9}, {9, 9, 9, 9}}));
  EXPECT_EQ(changed_rows(rows, kCutout, 0.25, 0.999F, 0.999F),
            (PixelRows{{9, 9, 9, 9}, {9, 9, 9, 9}, {9, 9, 9, 9}, {9, 9, 9, 127}}));
  EXPECT_EQ(changed_rows(rows, kCutout, 0.75, 0.5, 0.5)[1], (std::vector<int>{9, 127, 127, 127}));
  EXPECT_EQ(changed_rows(rows, kCutout, 0.12F), rows);  // less than half a pixel
  EXPECT_EQ(changed_rows(rows, kCutout, -1), rows);
  EXPECT_EQ(changed_rows(rows, kCutout, 8), PixelRows(4, std::vector<int>(4, 127)));
}

TEST(ApplyOperations, KeepsImagesAtMagnitudesWithoutEffect) {
  for (const int64_t channels : {1, 3}) {
    const at::Tensor images = at::randint(0, 256, {4, 16, 16, channels}, at::kByte);
    const std::vector<std::pair<ImageOperation, float>> without_effect = {
        {kIdentity, 5},   {kBrightness, 1}, {kColor, 1},  {kContrast, 1}, {kPosterize, 8},
        {kRotate, 0},     {kSharpness, 1},  {kShearX, 0}, {kShearY, 0},   {kSolarize, 1},
        {kTranslateX, 0}, {kTranslateY, 0}, {kCutout, 0}};
    for (const auto& [operation, magnitude] : without_effect) {
      const ImageOperations operations = one_operation(4, operation, magnitude);
      EXPECT_TRUE(changed(images, operations).equal(images)) << static_cast<int>(operation);
      EXPECT_TRUE(apply_operations_by_operators(images, operations).equal(images)) << static_cast<int>(operation);
    }
    const at::Tensor flat = at::full({2, 16, 16, channels}, 77, at::kByte);
    for (const ImageOperation operation : {kAutoContrast, kEqualize, kContrast, kSharpness, kColor}) {
      EXPECT_TRUE(changed(flat, one_operation(2, operation, 0.2F)).equal(flat)) << static_cast<int>(operation);
    }
  }
}

TEST(ApplyOperations, AppliesAChainInOrder) {
  at::manual_seed(2);
  const at::Tensor images = at::randint(0, 256, {60, 16, 16, 3}, at::kByte);
  const ImageOperations operations = random_operations(60, 3);
  at::Tensor step_by_step = images;
  for (int64_t j = 0; j < 3; ++j) step_by_step = changed(step_by_step, narrow(operations, 1, j, 1));
  EXPECT_TRUE(changed(images, operations).equal(step_by_step));
}

TEST(ApplyOperations, AcceptsAnyNumbers) {
  at::manual_seed(5);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> numbers = {NAN,    -NAN,    kInfinity,   -kInfinity, 1e30F, -1e30F, 1e-40F, -1e-40F,
                                      -0.0F,  1e9F,    -1e9F,       8,          -8,    360,    -360,   7.9999995F,
                                      359.9F, -359.9F, 0.49999997F, -0.5F,      1,     -1,     0.3F,   -0.3F};
  const std::vector<int32_t> unknown = {-1, 16, 99, std::numeric_limits<int32_t>::min(),
                                        std::numeric_limits<int32_t>::max()};
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{1, 1, 1}, {2, 2, 3}, {3, 3, 1}, {1, 9, 3}, {9, 2, 1}, {16, 16, 3}}) {
    const auto kinds = static_cast<int64_t>(image_operations().size() + unknown.size());
    const auto values = static_cast<int64_t>(numbers.size());
    const at::Tensor images = at::randint(0, 256, {kinds * values, shape[0], shape[1], shape[2]}, at::kByte);
    const at::Tensor codes = at::cat({at::arange(16, at::kInt), at::tensor(unknown, at::kInt)});
    const at::Tensor magnitudes = at::tensor(numbers);
    const ImageOperations operations{codes.view({kinds, 1}).expand({kinds, values}).reshape({-1, 1}),
                                     magnitudes.expand({kinds, values}).reshape({-1, 1}),
                                     magnitudes.index({at::randint(0, values, {kinds * values, 1, 2}, at::kLong)})};
    const at::Tensor found = changed(images, operations);
    EXPECT_TRUE(found.equal(apply_operations_by_operators(images, operations))) << images.sizes();
    EXPECT_TRUE(found.slice(0, 16 * values).equal(images.slice(0, 16 * values))) << "unknown codes change nothing";
  }
}

TEST(ApplyOperations, ReadsOperationsInAnyMemoryOrder) {
  at::manual_seed(6);
  const at::Tensor images = at::randint(0, 256, {8, 16, 16, 3}, at::kByte);
  const ImageOperations operations = random_operations(8, 2);
  const ImageOperations transposed{operations.codes.t().contiguous().t(), operations.magnitudes.t().contiguous().t(),
                                   operations.positions.transpose(0, 2).contiguous().transpose(0, 2)};
  EXPECT_TRUE(changed(images, transposed).equal(changed(images, operations)));
  EXPECT_EQ(changed(images.narrow(0, 0, 0), narrow(operations, 0, 0, 0)).size(0), 0);
  EXPECT_EQ(apply_operations_by_operators(images.narrow(0, 0, 0), narrow(operations, 0, 0, 0)).size(0), 0);
}

at::Tensor meta_where(const at::Tensor& condition, const at::Tensor& self, const at::Tensor& other) {
  const std::vector<int64_t> shape = at::infer_size(at::infer_size(condition.sizes(), self.sizes()), other.sizes());
  return at::empty(shape, self.options());
}

TEST(ApplyOperations, ReadsNothingBackFromTheDevice) {
  const MetaKernels kernels;
  torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__);
  const auto schema = c10::Dispatcher::singleton().findSchemaOrThrow("aten::where", "self");
  if (!schema.hasKernelForDispatchKey(c10::DispatchKey::Meta)) library.impl("where.self", &meta_where);

  const at::TensorOptions meta = at::TensorOptions().device(at::kMeta);
  for (const int64_t channels : {1, 3}) {
    const at::Tensor found = apply_operations_by_operators(
        at::empty({5, 16, 12, channels}, meta.dtype(at::kByte)),
        {at::empty({5, 2}, meta.dtype(at::kInt)), at::empty({5, 2}, meta.dtype(at::kFloat)),
         at::empty({5, 2, 2}, meta.dtype(at::kFloat))});
    EXPECT_TRUE(found.is_meta());
    EXPECT_EQ(found.sizes(), (at::IntArrayRef{5, 16, 12, channels}));
  }
}

TEST(ApplyOperations, RejectsOtherShapesAndTypes) {
  const at::Tensor images = at::zeros({2, 4, 4, 3}, at::kByte);
  const ImageOperations good = one_operation(2, kInvert, 0);
  const auto error = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const c10::Error& found) {
      return found.what_without_backtrace();
    }
    return "no error";
  };
  const auto error_of_images = [&](const at::Tensor& others) {
    return error([&] { apply_operations_by_operators(others, good); });
  };
  EXPECT_EQ(error_of_images(images), "no error");
  EXPECT_THAT(error_of_images(images.to(at::kFloat)), HasSubstr("images must be uint8; got Float"));
  EXPECT_THAT(error_of_images(images[0]), HasSubstr("got [4, 4, 3]"));

  const auto error_of = [&](const ImageOperations& operations, int64_t height = 4, int64_t channels = 3,
                            int64_t count = 2) {
    return error([&] { const OperationLoop loop(operations, {count, height, 4, channels}); });
  };
  EXPECT_EQ(error_of(good), "no error");
  EXPECT_THAT(error_of(good, 4, 2), HasSubstr("images must be N x H x W x C with 1 or 3 channels; got [2, 4, 4, 2]"));
  for (const int64_t side : {0, 1025}) {
    EXPECT_THAT(error_of(good, side),
                HasSubstr("sides of images must be 1 to 1024 pixels; got [2, " + std::to_string(side)));
  }
  const auto& [codes, magnitudes, positions] = good;
  EXPECT_THAT(error_of({codes.to(at::kLong), magnitudes, positions}),
              HasSubstr("codes must be int32, 2 x n; got Long [2, 1]"));
  EXPECT_THAT(error([&] { apply_operations_by_operators(images.narrow(0, 0, 1), good); }),
              HasSubstr("codes must be int32, 1 x n; got Int [2, 1]"));
  EXPECT_THAT(error_of(good, 4, 3, /*count=*/3), HasSubstr("codes must be int32, 3 x n; got Int [2, 1]"));
  EXPECT_THAT(error_of({codes, magnitudes.t(), positions}),
              HasSubstr("magnitudes must be float, [2, 1]; got Float [1, 2]"));
  EXPECT_THAT(error_of({codes, magnitudes.to(at::kDouble), positions}),
              HasSubstr("magnitudes must be float, [2, 1]; got Double [2, 1]"));
  EXPECT_THAT(error_of({codes, magnitudes, positions.narrow(2, 0, 1)}),
              HasSubstr("positions must be float, [2, 1, 2]; got Float [2, 1, 1]"));
  EXPECT_THAT(error_of({codes, magnitudes, positions.to(at::kMeta)}), HasSubstr("operations must be on the CPU"));
}

}  // namespace
}  // namespace frgan
