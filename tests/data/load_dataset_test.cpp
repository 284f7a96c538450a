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
      EXPECT_EQ(file.md5.size(), 32U) << file.name;
    }
  }
  EXPECT_EQ(names, (std::set<std::string>{"svhn", "mnist", "fashion-mnist", "folder", "safetensors"}));
}

TEST(LoadDataset, LooksInTheDataRootThenWhereItIsTold) {
  const TemporaryFolder root;
  EXPECT_THAT(
      error({.data = "mnist"}, root.path()),
      AllOf(StartsWith("mnist: no train-images-idx3-ubyte in " + (root / "mnist").string()), HasSubstr("--data-dir")));
  std::filesystem::create_directory(root / "mnist");
  write_tiny_mnist(root / "mnist");
  EXPECT_EQ(load_dataset({.data = "mnist"}, root.path()).source, (root / "mnist").string());
  EXPECT_EQ(load_dataset({.data = "mnist", .data_dir = root / "mnist"}, "/nowhere").train.size(), 3);
  EXPECT_EQ(load_dataset({.data = "mnist", .data_dir = root.path()}, "/nowhere").train.size(), 3);
  // MNIST's files have the names of Fashion-MNIST's: lying loose under the root they could be either.
  const TemporaryFolder loose;
  write_tiny_mnist(loose.path());
  EXPECT_THAT(error({.data = "mnist"}, loose.path()), StartsWith("mnist: no train-images-idx3-ubyte in"));
  EXPECT_EQ(load_dataset({.data = "fashion-mnist", .data_dir = loose.path()}, "/nowhere").name, "fashion-mnist");
}

TEST(LoadDataset, SaysHowToGetWhatIsMissing) {
  const TemporaryFolder root;
  EXPECT_THAT(
      error({.data = "svhn"}, root.path()),
      AllOf(StartsWith("svhn: no train_32x32.mat in " + (root / "svhn").string()), HasSubstr("frgan data fetch svhn")));
  EXPECT_THAT(error({.data = "svhn", .data_dir = "/nowhere"}, root.path()), HasSubstr("in /nowhere, /nowhere/svhn;"));
  EXPECT_THAT(error({.data = "fashion-mnist", .data_dir = "/nowhere"}, root.path()),
              HasSubstr("apt install dataset-fashion-mnist"));
  EXPECT_THAT(error({.data = "folder"}, root.path()), StartsWith("--data folder: say by --data-dir which folder"));
  EXPECT_THAT(error({.data = "safetensors"}, root.path()), StartsWith("--data safetensors: say by --data-dir"));
  EXPECT_THAT(error({.data = "safetensors", .data_dir = "/nowhere.safetensors"}, root.path()),
              HasSubstr("/nowhere.safetensors"));
}

TEST(LoadDataset, TakesAPathForAName) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.safetensors";
  write_safetensors_set(file, tiny_dataset({0, 1}, 2));
  EXPECT_EQ(load_dataset({.data = file}, "data").train.size(), 2);
  EXPECT_EQ(load_dataset({.data = "safetensors", .data_dir = file}, "data").train.size(), 2);
  EXPECT_THAT(error({.data = folder.path()}, "data"), HasSubstr("no folder train; expected"));
  EXPECT_THAT(error({.data = file, .data_dir = "/nowhere"}, "data"),
              HasSubstr("so --data-dir /nowhere has no meaning"));
}

TEST(LoadDataset, RefusesUnknownNames) {
  EXPECT_THAT(
      error({.data = "svnh"}, "data"),
      AllOf(StartsWith("--data svnh: no dataset and no folder or .safetensors file"), HasSubstr("did you mean svhn?")));
  EXPECT_THAT(error({.data = ""}, "data"), HasSubstr("known are svhn, mnist"));
  EXPECT_THAT(error({.data = std::string(5000, 'x')}, "data"), HasSubstr("no dataset"));
}

TEST(LoadDataset, SizesOfOtherDataAreWhatTheyAre) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.safetensors";
  write_safetensors_set(file, tiny_dataset({0, 1}, 2));
  EXPECT_NO_THROW(load_dataset({.data = file, .image_size = 16, .channels = 1}, "data"));
  EXPECT_THAT(error({.data = file, .image_size = 32}, "data"),
              StartsWith("--image-size 32: " + file + " has images of 16x16"));
  EXPECT_THAT(error({.data = file, .channels = 3}, "data"), StartsWith("--channels 3: " + file + " has 1"));
}

TEST(DataOptions, AreDeclared) {
  DataOptions data;
  OptionSet options;
  describe(options, data);
  options.find("data", "test").set_text("my-images", "test");
  options.find("image-size", "test").set_text("64", "test");
  EXPECT_EQ(data.data, "my-images");
  EXPECT_EQ(data.image_size, 64);
  EXPECT_THROW(options.find("channels", "test").set_text("4", "test"), Error);
}

}  // namespace
}  // namespace frgan
