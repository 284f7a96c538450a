#include "frgan/data/load_dataset.h"

#include <filesystem>
#include <set>
#include <string>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/data/safetensors_set.h"
#include "idx_writer.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error(const DataOptions& options, const std::filesystem::path& root) {
  return error_of([&] { load_dataset(options, root); });
}

TEST(DatasetKinds, HaveNamesSummariesAndHints) {
  std::set<std::string> names;
  for (const DatasetKind& kind : dataset_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_FALSE(kind.summary.empty()) << kind.name;
    EXPECT_FALSE(kind.hint.empty()) << kind.name;
    for (const RemoteFile& file : kind.downloads) {
      EXPECT_TRUE(file.url.ends_with("/" + file.name)) << file.url;
      EXPECT_EQ(file.sha256.size(), 64U) << file.name;
      EXPECT_GT(file.bytes, 0) << file.name;
    }
  }
  EXPECT_EQ(names, (std::set<std::string>{"svhn", "mnist", "fashion-mnist", "folder", "safetensors"}));
}

TEST(LoadDataset, SearchesTheDataRootOrDataDir) {
  const TemporaryFolder root;
  EXPECT_THAT(error({.data = "mnist"}, root.path()),
              AllOf(StartsWith("mnist: train-images-idx3-ubyte not found in " + (root / "mnist").string()),
                    HasSubstr("--data-dir")));
  std::filesystem::create_directory(root / "mnist");
  write_tiny_mnist(root / "mnist");
  EXPECT_EQ(load_dataset({.data = "mnist"}, root.path()).source, (root / "mnist").string());
  EXPECT_EQ(load_dataset({.data = "mnist", .data_dir = root / "mnist"}, "/nowhere").train.size(), 3);
  EXPECT_EQ(load_dataset({.data = "mnist", .data_dir = root.path()}, "/nowhere").train.size(), 3);
  // MNIST and Fashion-MNIST have the same file names, so files directly in the data root are ambiguous.
  const TemporaryFolder loose;
  write_tiny_mnist(loose.path());
  EXPECT_THAT(error({.data = "mnist"}, loose.path()), StartsWith("mnist: train-images-idx3-ubyte not found in"));
  EXPECT_EQ(load_dataset({.data = "fashion-mnist", .data_dir = loose.path()}, "/nowhere").name, "fashion-mnist");
}

TEST(LoadDataset, ExplainsHowToGetMissingData) {
  const TemporaryFolder root;
  EXPECT_THAT(error({.data = "svhn"}, root.path()),
              AllOf(StartsWith("svhn: train_32x32.mat not found in " + (root / "svhn").string()),
                    HasSubstr("frgan data fetch svhn")));
  EXPECT_THAT(error({.data = "svhn", .data_dir = "/nowhere"}, root.path()), HasSubstr("in /nowhere or /nowhere/svhn;"));
  EXPECT_THAT(error({.data = "fashion-mnist", .data_dir = "/nowhere"}, root.path()),
              HasSubstr("apt install dataset-fashion-mnist"));
  EXPECT_THAT(error({.data = "folder"}, root.path()),
              StartsWith("--data folder: give the folder that contains train/CLASS/* with --data-dir"));
  EXPECT_THAT(error({.data = "safetensors"}, root.path()),
              StartsWith("--data safetensors: give the file with --data-dir"));
  EXPECT_THAT(error({.data = "safetensors", .data_dir = "/nowhere.safetensors"}, root.path()),
              HasSubstr("/nowhere.safetensors"));
}

TEST(LoadDataset, AcceptsAPathAsTheName) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.safetensors";
  write_safetensors_set(file, tiny_dataset({0, 1}, 2));
  EXPECT_EQ(load_dataset({.data = file}, "data").train.size(), 2);
  EXPECT_EQ(load_dataset({.data = "safetensors", .data_dir = file}, "data").train.size(), 2);
  EXPECT_THAT(error({.data = folder.path()}, "data"), HasSubstr("no folder 'train'; expected"));
  EXPECT_THAT(error({.data = file, .data_dir = "/nowhere"}, "data"),
              HasSubstr("cannot be a path together with --data-dir /nowhere"));
}

TEST(LoadDataset, RejectsUnknownNames) {
  EXPECT_THAT(
      error({.data = "svnh"}, "data"),
      AllOf(StartsWith("--data svnh: no such path, and not a built-in dataset"), HasSubstr("did you mean 'svhn'?")));
  EXPECT_THAT(error({.data = ""}, "data"), HasSubstr("built-in: svhn, mnist"));
  EXPECT_THAT(error({.data = std::string(5000, 'x')}, "data"), HasSubstr("not a built-in dataset"));
}

TEST(LoadDataset, ResizesOnlyImageFolders) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.safetensors";
  write_safetensors_set(file, tiny_dataset({0, 1}, 2));
  EXPECT_NO_THROW(load_dataset({.data = file, .image_size = 16, .channels = 1}, "data"));
  EXPECT_THAT(error({.data = file, .image_size = 32}, "data"),
              StartsWith("--image-size 32: " + file + " has images of 16x16"));
  EXPECT_THAT(error({.data = file, .channels = 3}, "data"), StartsWith("--channels 3: " + file + " has 1"));
}

TEST(DataOptions, SetTheirFields) {
  DataOptions data;
  OptionSet options;
  describe(options, data);
  options.find("data", "test").set_text("my-images", "test");
  options.find("image-size", "test").set_text("64", "test");
  EXPECT_EQ(data.data, "my-images");
  EXPECT_EQ(data.image_size, 64);
  EXPECT_THROW(options.find("channels", "test").set_text("4", "test"), Error);
}

TEST(DatasetInfo, DescribesTheDataset) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.safetensors";
  const Dataset data = tiny_dataset({0, 1, 1, -1}, 2);
  write_safetensors_set(file, data);
  const DatasetInfo info = dataset_info({.data = file}, "data");
  EXPECT_EQ(info.name, "tiny");
  EXPECT_EQ(info.source, file);
  EXPECT_EQ(info.digest, data.digest);
  EXPECT_EQ(info.image_size, 16);
  EXPECT_EQ(info.channels, 1);
  EXPECT_EQ(info.class_names, data.class_names);
  EXPECT_EQ(info.train_images, 4);
  EXPECT_EQ(info.test_images, 0);
  EXPECT_EQ(info.train_class_counts, (std::vector<int64_t>{1, 2, 1}));
  EXPECT_EQ(info.test_class_counts, (std::vector<int64_t>{0, 0, 0}));
}

TEST(ConvertDataset, WritesTheSameImages) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.safetensors", copy = folder / "copy.safetensors";
  write_safetensors_set(file, tiny_dataset({0, 1}, 2));
  const std::string digest = convert_dataset({.data = file}, "data", copy).digest;
  EXPECT_EQ(dataset_info({.data = copy}, "data").digest, digest);
}

}  // namespace
}  // namespace frgan
