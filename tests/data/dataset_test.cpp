#include "frgan/data/dataset.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/core/json.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

TEST(Dataset, CountsClassesAndUnlabeledImages) {
  const Dataset data = tiny_dataset({0, 2, 2, -1, 0, -1}, 3);
  EXPECT_EQ(class_counts(data.train, 3), (std::vector<int64_t>{2, 0, 2, 2}));
  EXPECT_EQ(class_counts(data.test, 3), (std::vector<int64_t>{0, 0, 0, 0}));
}

TEST(Dataset, DigestDependsOnImagesLabelsAndRoles) {
  const Dataset data = tiny_dataset({0, 1, 0, 1}, 2);
  EXPECT_EQ(data.digest.size(), 64U);
  EXPECT_EQ(tiny_dataset({0, 1, 0, 1}, 2).digest, data.digest);
  EXPECT_NE(tiny_dataset({0, 1, 1, 0}, 2).digest, data.digest);

  Dataset other = tiny_dataset({0, 1, 0, 1}, 2);
  other.train.images[3][15][15][0] += 1;
  finish_dataset(other);
  EXPECT_NE(other.digest, data.digest);

  Dataset moved = tiny_dataset({0, 1, 0, 1}, 2);  // the same images in other roles
  moved.test = {moved.train.images.slice(0, 2).contiguous(), moved.train.labels.slice(0, 2).contiguous()};
  moved.train = {moved.train.images.slice(0, 0, 2), moved.train.labels.slice(0, 0, 2)};
  finish_dataset(moved);
  EXPECT_NE(moved.digest, data.digest);
}

TEST(Dataset, MovesImagesToADeviceAndKeepsLabels) {
  const ImageSet set = tiny_dataset({0, 1}, 2).train.to(at::kMeta);
  EXPECT_TRUE(set.images.is_meta());
  EXPECT_TRUE(set.labels.is_cpu());
  EXPECT_EQ(set.size(), 2);
  EXPECT_EQ(ImageSet().to(at::kMeta).size(), 0);
}

TEST(Dataset, RejectsInconsistentData) {
  const auto error = [](auto change) {
    Dataset data = tiny_dataset({0, 1}, 2);
    change(data);
    return error_of([&] { finish_dataset(data); });
  };
  EXPECT_EQ(error([](Dataset& d) {
              d.train.labels = at::tensor({0, 1, 1}, at::kLong);
            }),
            "tiny: 2 training images but 3 labels");
  EXPECT_EQ(error([](Dataset& d) {
              d.train.labels = at::tensor({0, 2}, at::kLong);
            }),
            "tiny: training image 1 has label 2; must be -1 to 1");
  EXPECT_EQ(error([](Dataset& d) {
              d.train.labels = at::tensor({-2, 0}, at::kLong);
            }),
            "tiny: training image 0 has label -2; must be -1 to 1");
  EXPECT_EQ(error([](Dataset& d) {
              d.test = {d.train.images, at::tensor({0, -1}, at::kLong)};
            }),
            "tiny: test image 1 has label -1; must be 0 to 1");
  EXPECT_EQ(error([](Dataset& d) { d.class_names = {"one"}; }),
            "tiny: unsupported number of classes 1; must be 2 to 1000");
  EXPECT_EQ(error([](Dataset& d) { d.class_names = {"a", "a"}; }), "tiny: two classes have the same name");
  EXPECT_EQ(error([](Dataset& d) { d.train = {}; }), "tiny: no training images");
}

TEST(ImageShape, MustBeSupportedByTheNetworks) {
  for (const int64_t size : {16, 24, 128, 512}) EXPECT_NO_THROW(check_image_shape(size, 3, "x"));
  EXPECT_NO_THROW(check_image_shape(32, 1, "x"));
  for (const int64_t size : {-8, 0, 8, 20, 520}) {
    EXPECT_THAT(error_of([=] { check_image_shape(size, 3, "x"); }), HasSubstr("multiple of 8 from 16 to 512"));
  }
  for (const int64_t channels : {0, 2, 4}) {
    EXPECT_THAT(error_of([=] { check_image_shape(32, channels, "x"); }), HasSubstr("must be 1 (gray) or 3 (RGB)"));
  }
}

TEST(Adopt, TensorOwnsTheValues) {
  at::Tensor bytes, numbers;
  {
    std::vector<uint8_t> values = {1, 2, 3, 4};
    bytes = adopt(std::move(values), {2, 2});
    numbers = adopt(std::vector<int64_t>{-5, 6}, {2});
  }
  EXPECT_TRUE(bytes.equal(at::tensor({1, 2, 3, 4}, at::kByte).view({2, 2})));
  EXPECT_TRUE(numbers.equal(at::tensor({-5, 6}, at::kLong)));
}

TEST(Quoted, IsOneLineOfText) {
  EXPECT_EQ(quoted("cat"), "\"cat\"");
  EXPECT_EQ(quoted("a\nb"), "\"a\\nb\"");
  EXPECT_EQ(quoted("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(ImageSet, KeepsRowsInPlace) {
  const Dataset data = tiny_dataset(round_robin(7, 3), 3);
  ImageSet set = data.train;
  for (int i = 0; i < 7; ++i) set.files.push_back(std::to_string(i));
  set.digests = set.files;
  const std::vector<std::vector<int64_t>> choices = {
      {0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0}, {2, 0, 1, 4, 3, 6, 5}, {3, 1}, {6}, {1, 2, 5}, {}};
  for (const std::vector<int64_t>& rows : choices) {
    ImageSet kept = set;
    kept.images = set.images.clone();
    kept.keep_rows(rows);
    const ImageSet expected = set.rows(rows);
    EXPECT_TRUE(kept.images.equal(expected.images));
    EXPECT_TRUE(kept.labels.equal(expected.labels));
    EXPECT_EQ(kept.files, expected.files);
    EXPECT_EQ(kept.digests, expected.digests);
  }
}

}  // namespace
}  // namespace frgan
