#include "frgan/data/mnist.h"

#include <filesystem>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "idx_writer.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

TEST(Mnist, IsPaddedTo32) {
  const TemporaryFolder folder;
  write_tiny_mnist(folder.path());
  const Dataset data = read_mnist(folder.path());
  EXPECT_EQ(data.name, "mnist");
  EXPECT_EQ(data.classes(), 10);
  EXPECT_EQ(data.channels, 1);
  EXPECT_EQ(data.image_size, 32);
  EXPECT_EQ(data.train.images.sizes(), (at::IntArrayRef{3, 32, 32, 1}));
  for (int64_t i = 0; i < 3; ++i) {
    const at::Tensor image = data.train.images[i].squeeze(2);
    EXPECT_TRUE(image.slice(0, 2, 30).slice(1, 2, 30).equal(at::full({28, 28}, i + 1, at::kByte))) << i;
    EXPECT_EQ(image.sum().item<int64_t>(), 28 * 28 * (i + 1)) << i;  // the border is black
  }
  EXPECT_TRUE(data.train.labels.equal(at::tensor({0, 9, 4}, at::kLong)));
  EXPECT_TRUE(data.test.labels.equal(at::tensor({1, 2}, at::kLong)));
  EXPECT_EQ(data.test.images[1][16][16].item<int64_t>(), 255);
}

TEST(Mnist, FashionMnistHasItsOwnNames) {
  const TemporaryFolder folder;
  write_tiny_mnist(folder.path());
  const Dataset data = read_fashion_mnist(folder.path());
  EXPECT_EQ(data.name, "fashion-mnist");
  EXPECT_EQ(data.class_names[9], "Ankle boot");
}

TEST(Mnist, FindsGzippedFilesByName) {
  const TemporaryFolder folder;
  write_tiny_mnist(folder.path());
  for (const char* name : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    // The reader detects gzip by the bytes, so an uncompressed file may have the name ".gz" here.
    std::filesystem::rename(folder / name, folder / (std::string(name) + ".gz"));
  }
  EXPECT_EQ(read_mnist(folder.path()).train.size(), 3);
}

TEST(Mnist, RejectsInvalidFiles) {
  const TemporaryFolder folder;
  const auto error = [&](const char* name, const std::vector<int64_t>& shape, const std::string& values) {
    write_tiny_mnist(folder.path());
    write_idx(folder / name, shape, values);
    return error_of([&] { read_mnist(folder.path()); });
  };
  EXPECT_THAT(error("train-images-idx3-ubyte", {1, 2, 3}, "123456"),
              HasSubstr("train-images-idx3-ubyte: array of shape 1x2x3; expected images of shape Nx28x28"));
  EXPECT_THAT(error("train-images-idx3-ubyte", {3}, "123"), HasSubstr("shape 3; expected images"));
  EXPECT_THAT(error("train-labels-idx1-ubyte", {3, 1}, "123"), HasSubstr("shape 3x1; expected labels"));
  EXPECT_THAT(error("train-labels-idx1-ubyte", {2}, "\1\2"), HasSubstr("3 training images but 2 labels"));
  EXPECT_THAT(error("t10k-labels-idx1-ubyte", {2}, "\1\xa"), HasSubstr("test image 1 has label 10; must be 0 to 9"));
  EXPECT_THAT(error("t10k-labels-idx1-ubyte", {3}, "\1\1"), HasSubstr("t10k-labels-idx1-ubyte"));
  write_tiny_mnist(folder.path());
  std::filesystem::remove(folder / "t10k-images-idx3-ubyte");
  EXPECT_THAT(error_of([&] { read_mnist(folder.path()); }), HasSubstr("t10k-images-idx3-ubyte"));
}

}  // namespace
}  // namespace frgan
