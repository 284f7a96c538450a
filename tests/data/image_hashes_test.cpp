#include "frgan/data/image_hashes.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

Dataset hashed_data() {
  Dataset data = tiny_dataset(round_robin(6, 3), 3);
  data.test = {tiny_images(3, 16, 1), at::tensor(round_robin(3, 3))};
  return data;
}

Dataset of_files() {
  Dataset data = hashed_data();
  data.train.files = {"train/a/0.png", "train/a/1.png", "train/b/0.png", "train/b/1.png", "train/c/0.png", "t.png"};
  data.test.files = {"test/a/0.png", "test/b/0.png", "test/c/0.png"};
  return data;
}

TEST(ImageHashes, NothingDiffersFromItself) {
  for (const Dataset& data : {hashed_data(), of_files()}) {
    EXPECT_EQ(difference_from(image_hashes_json(image_hashes(data)), data, "images.json"), "");
  }
}

TEST(ImageHashes, EveryPixelAndLabelCounts) {
  const Json recorded = image_hashes_json(image_hashes(hashed_data()));
  const Dataset data = hashed_data();
  for (int64_t i = 0; i < data.test.images[1].numel(); ++i) {
    Dataset other = data;
    other.test.images = data.test.images.clone();
    other.test.images[1].view(-1)[i].bitwise_xor_(1 << (i % 8));
    ASSERT_EQ(difference_from(recorded, other, "images.json"), "test image 1 was changed") << i;
  }
  Dataset other = data;
  other.train.labels = data.train.labels.clone();
  other.train.labels[4] = 0;
  EXPECT_EQ(difference_from(recorded, other, "images.json"), "train image 4 was changed");
}

TEST(ImageHashes, NamesFilesThatWereChangedAddedOrRemoved) {
  const Json recorded = image_hashes_json(image_hashes(of_files()));
  Dataset changed = of_files();
  changed.train.images = changed.train.images.clone();
  changed.train.images[2].fill_(7);
  EXPECT_EQ(difference_from(recorded, changed, "images.json"), "train/b/0.png was changed");
  Dataset replaced = changed;
  replaced.train.files[2] = "train/b/new.png";
  EXPECT_EQ(difference_from(recorded, replaced, "images.json"), "train/b/new.png was added; 2 differences in all");
  Dataset smaller = of_files();
  smaller.train = smaller.train.rows({0, 1, 3, 4, 5});
  smaller.train.files = {"train/a/0.png", "train/a/1.png", "train/b/1.png", "train/c/0.png", "t.png"};
  EXPECT_EQ(difference_from(recorded, smaller, "images.json"), "train/b/0.png is missing or unreadable");
  EXPECT_EQ(difference_from(recorded, hashed_data(), "images.json"), "") << "a converted dataset has no files";
}

TEST(ImageHashes, ARenamedFileIsNoDifference) {
  const Json recorded = image_hashes_json(image_hashes(of_files()));
  Dataset renamed = of_files();
  renamed.test.files[2] = "test/c/new.png";
  renamed.train.files[0] = "train/a/2.png";
  EXPECT_EQ(difference_from(recorded, renamed, "images.json"), "");
  std::swap(renamed.train.files[1], renamed.train.files[3]);
  EXPECT_EQ(difference_from(recorded, renamed, "images.json"), "");
  EXPECT_EQ(test_difference_from(recorded, renamed.test, "images.json"), "");
  renamed.test.labels = at::tensor({0, 1, 1}, at::kLong);
  EXPECT_EQ(test_difference_from(recorded, renamed.test, "images.json"),
            "test/c/new.png was added; 2 differences in all");
  Dataset copied = of_files();  // equal images: each new name stands for one of them
  copied.test.images = copied.test.images.narrow(0, 0, 1).expand({3, -1, -1, -1}).contiguous();
  copied.test.labels = at::zeros({3}, at::kLong);
  const Json of_copies = image_hashes_json(image_hashes(copied));
  copied.test.files = {"test/a/0.png", "test/a/1.png", "test/a/2.png"};
  EXPECT_EQ(difference_from(of_copies, copied, "images.json"), "");
  copied.test = copied.test.rows({1, 2});
  EXPECT_EQ(difference_from(of_copies, copied, "images.json"), "test/c/0.png is missing or unreadable");
}

TEST(ImageHashes, AddedImagesAreRemoved) {
  const Dataset before = of_files();
  const Json recorded = image_hashes_json(image_hashes(before));
  Dataset data = of_files();
  data.train.images = at::cat({tiny_images(1, 16, 1) + 100, before.train.images, tiny_images(1, 16, 1) + 50});
  data.train.labels = at::cat({at::zeros({1}, at::kLong), before.train.labels, at::ones({1}, at::kLong)});
  data.train.files.insert(data.train.files.begin(), "train/a/new.png");
  data.train.files.emplace_back("train/b/new.png");
  EXPECT_EQ(difference_from(recorded, data, "images.json"), "train/a/new.png was added; 2 differences in all");
  EXPECT_EQ(remove_added_images(recorded, data, "images.json"), 2);
  EXPECT_TRUE(data.train.images.equal(before.train.images));
  EXPECT_TRUE(data.train.labels.equal(before.train.labels));
  EXPECT_EQ(data.train.files, before.train.files);
  EXPECT_EQ(remove_added_images(recorded, data, "images.json"), 0);
  Dataset other = of_files();
  other.train.images = tiny_images(6, 16, 1) + 100;
  EXPECT_EQ(remove_added_images(recorded, other, "images.json"), 0) << "other data";
  EXPECT_EQ(other.train.size(), 6);
  Dataset converted = hashed_data();
  EXPECT_EQ(remove_added_images(image_hashes_json({}), converted, "images.json"), 0) << "no files";
}

TEST(ImageHashes, NamesNeedNotBeUtf8) {
  Dataset data = of_files();
  data.train.files[0] = "train/a/\xfe.png";
  data.train.files[1] = "train/a/\xff.png";
  const Json recorded = parse_json(image_hashes_json(image_hashes(data)).dump(), "images.json");
  EXPECT_EQ(difference_from(recorded, data, "images.json"), "");
  data.train.images = data.train.images.clone();
  data.train.images[1].fill_(7);
  EXPECT_EQ(difference_from(recorded, data, "images.json"), R"(train/a/\xff.png was changed)");
}

TEST(ImageHashes, RejectsOtherFiles) {
  const auto error = [](const Json& recorded) {
    try {
      difference_from(recorded, hashed_data(), "images.json");
    } catch (const Error& caught) {
      return std::string(caught.what());
    }
    return std::string();
  };
  EXPECT_EQ(error(Json::object()), "images.json: not of format 'frgan images 1'");
  const Json good = image_hashes_json(image_hashes(hashed_data()));
  const auto error_with = [&](const char* key, const Json& value) {
    Json recorded = good;
    recorded["test"][key] = value;
    return error(recorded);
  };
  const std::string start = "images.json: not a valid list of the hashes of images (";
  EXPECT_EQ(error_with("hashes", "123"), start + "incomplete hash)");
  EXPECT_EQ(error_with("files", Json::array({"a.png"})), start + "not one file per hash)");
  EXPECT_THAT(error_with("files", Json::array({1, 2, 3})), ::testing::StartsWith(start));
  EXPECT_THAT(error_with("files", "a.png"), ::testing::StartsWith(start));
  Json recorded = good;
  recorded["train"] = 3;
  EXPECT_THAT(error(recorded), ::testing::StartsWith(start));
}

}  // namespace
}  // namespace frgan
