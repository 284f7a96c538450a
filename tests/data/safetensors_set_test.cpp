#include "frgan/data/safetensors_set.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/io/safetensors.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Dataset tiny_with_test() {
  Dataset data = tiny_dataset({0, -1, 1, 0}, 2, 3);
  data.test = {tiny_images(2, 16, 3) + 1, at::tensor({1, 0}, at::kLong)};
  data.class_names = {"a \"b\"", "\xc3\xa4"};
  finish_dataset(data);
  return data;
}

TEST(SafetensorsSet, WriteAndReadRoundTrip) {
  const TemporaryFolder folder;
  const Dataset data = tiny_with_test();
  write_safetensors_set(folder / "tiny.safetensors", data);
  at::Tensor images;
  {
    const Dataset again = read_safetensors_set(folder / "tiny.safetensors");
    EXPECT_EQ(again.name, "tiny");
    EXPECT_EQ(again.source, (folder / "tiny.safetensors").string());
    EXPECT_EQ(again.digest, data.digest);
    EXPECT_EQ(again.class_names, data.class_names);
    EXPECT_EQ(again.image_size, 16);
    EXPECT_EQ(again.channels, 3);
    EXPECT_TRUE(again.train.labels.equal(data.train.labels));
    EXPECT_TRUE(again.test.images.equal(data.test.images));
    EXPECT_TRUE(again.test.labels.equal(data.test.labels));
    EXPECT_THAT(again.notes, IsEmpty());
    images = again.train.images;
  }
  EXPECT_TRUE(images.equal(data.train.images));  // the tensor outlives the dataset
}

TEST(SafetensorsSet, KeepsTheDigestsOfFiles) {
  const TemporaryFolder folder;
  Dataset data = tiny_with_test();
  for (int i = 0; i < 4; ++i) data.train.digests.push_back(sha256(bytes_of(std::to_string(i))));
  const std::string without = data.digest;
  finish_dataset(data);
  EXPECT_NE(data.digest, without);
  write_safetensors_set(folder / "tiny.safetensors", data);
  const Dataset again = read_safetensors_set(folder / "tiny.safetensors");
  EXPECT_EQ(again.train.digests, data.train.digests);
  EXPECT_EQ(again.test.digests, data.test.digests);
  EXPECT_EQ(again.digest, data.digest);
  const std::vector<uint8_t> bytes(2 * 256);
  const std::vector<int64_t> labels = {0, 1};
  write_safetensors(folder / "bad.safetensors",
                    {{"train.images", {DType::kU8, {2, 16, 16, 1}, std::as_bytes(std::span(bytes))}},
                     {"train.labels", {DType::kI64, {2}, std::as_bytes(std::span(labels))}},
                     {"train.digests", {DType::kU8, {2, 31}, std::as_bytes(std::span(bytes)).first(62)}}},
                    {{"class_names", R"(["x", "y"])"}});
  EXPECT_THAT(error_of([&] { read_safetensors_set(folder / "bad.safetensors"); }),
              HasSubstr("train.digests is of shape [2, 31]; expected 2 x 32"));
}

TEST(SafetensorsSet, TestImagesAndDigestAreOptional) {
  const TemporaryFolder folder;
  const std::vector<uint8_t> images(2 * 16 * 16);
  const std::vector<int64_t> labels = {0, 1};
  write_safetensors(folder / "mine.safetensors",
                    {{"train.images", {DType::kU8, {2, 16, 16, 1}, std::as_bytes(std::span(images))}},
                     {"train.labels", {DType::kI64, {2}, std::as_bytes(std::span(labels))}}},
                    {{"class_names", R"(["x", "y"])"}});
  const Dataset data = read_safetensors_set(folder / "mine.safetensors");
  EXPECT_EQ(data.name, "mine");
  EXPECT_EQ(data.channels, 1);
  EXPECT_EQ(data.test.size(), 0);
  EXPECT_THAT(data.notes, ElementsAre("no test images; no test error can be computed"));
}

TEST(SafetensorsSet, RejectsInvalidTensorsAndMetadata) {
  const TemporaryFolder folder;
  const std::vector<uint8_t> bytes(4 * 16 * 32);
  const std::vector<int64_t> labels = {0, 1};
  const TensorView images{DType::kU8, {2, 16, 16, 1}, std::as_bytes(std::span(bytes)).first(2 * 16 * 16)};
  const TensorView numbers{DType::kI64, {2}, std::as_bytes(std::span(labels))};
  const auto error = [&](const TensorViews& tensors, const TensorMetadata& metadata) {
    write_safetensors(folder / "x.safetensors", tensors, metadata);
    const std::string message = error_of([&] { read_safetensors_set(folder / "x.safetensors"); });
    EXPECT_THAT(message, HasSubstr("x.safetensors: "));
    return message;
  };
  const TensorMetadata names = {{"class_names", R"(["x", "y"])"}};
  const TensorViews good = {{"train.images", images}, {"train.labels", numbers}};
  const auto with = [&](const std::string& name, const TensorView& view) {
    TensorViews tensors = good;
    tensors[name] = view;
    return tensors;
  };
  EXPECT_THAT(error(good, {}), HasSubstr("class_names"));
  EXPECT_THAT(error(good, {{"class_names", "x, y"}}), HasSubstr("is \"x, y\"; expected a JSON list of names"));
  EXPECT_THAT(error(good, {{"class_names", "[1, 2]"}}), HasSubstr("expected a JSON list of names"));
  EXPECT_THAT(error(good, {{"class_names", "[\"x\"]"}}),
              HasSubstr("unsupported number of classes 1; must be 2 to 1000"));
  EXPECT_THAT(error({{"train.images", images}}, names), HasSubstr("train.labels"));
  EXPECT_THAT(error({{"train.labels", numbers}}, names), HasSubstr("train.images"));
  EXPECT_THAT(error(with("train.images", numbers), names),
              HasSubstr("train.images is I64 of shape [2]; expected U8 with 4 dimensions"));
  EXPECT_THAT(error(with("train.labels", images), names), HasSubstr("expected I64 with 1 dimension"));
  const TensorView wide{DType::kU8, {2, 16, 32, 1}, std::as_bytes(std::span(bytes)).first(2 * 16 * 32)};
  EXPECT_THAT(error(with("train.images", wide), names), HasSubstr("are 16x32; must be square"));
  const TensorView pairs{DType::kU8, {1, 16, 16, 2}, std::as_bytes(std::span(bytes)).first(2 * 16 * 16)};
  EXPECT_THAT(error(with("train.images", pairs), names), HasSubstr("unsupported number of channels 2"));
  EXPECT_THAT(error(with("test.images", images), names), HasSubstr("test.labels"));
  TensorViews other_test = with("test.labels", numbers);
  other_test["test.images"] = {DType::kU8, {2, 32, 32, 1}, std::as_bytes(std::span(bytes))};
  EXPECT_THAT(error(other_test, names), HasSubstr("test images are 32x32x1, but training images are 16x16x1"));
  const TensorView none{DType::kU8, {0, 16, 16, 1}, {}};
  EXPECT_THAT(error(with("train.images", none), names), HasSubstr("no training images"));
  EXPECT_THAT(error(good, {{"class_names", R"(["x", "y"])"}, {"digest", "0123"}}),
              HasSubstr("the file is corrupt; convert the data again"));
}

TEST(SafetensorsSet, RejectsATruncatedFile) {
  const TemporaryFolder folder;
  write_safetensors_set(folder / "tiny.safetensors", tiny_with_test());
  const std::string bytes = read_file(folder / "tiny.safetensors");
  write_file_safely(folder / "truncated.safetensors", bytes.substr(0, bytes.size() - 100));
  EXPECT_THAT(error_of([&] { read_safetensors_set(folder / "truncated.safetensors"); }),
              HasSubstr("truncated.safetensors"));
}

}  // namespace
}  // namespace frgan
