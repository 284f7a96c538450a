#include "frgan/data/label_split.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/data/label_noise.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Rows = std::vector<int64_t>;

// 60 interleaved images: 30 of class 0, 20 of class 1, 10 of class 2.
Dataset uneven() {
  Rows labels;
  for (int64_t i = 0; i < 60; ++i) labels.push_back(i % 6 < 3 ? 0 : i % 6 < 5 ? 1 : 2);
  return tiny_dataset(labels, 3);
}

bool is_subset(const Rows& part, const Rows& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

ErrorKind kind_of(const Dataset& data, const SplitOptions& options) {
  try {
    split_labels(data, options);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kFailure;
}

TEST(LabelSplit, BalancedTakesTheSameNumberPerClass) {
  const Dataset data = uneven();
  const LabelSplit split = split_labels(data, {.labels = 12});
  EXPECT_EQ(split.counts, (Rows{4, 4, 4}));
  EXPECT_EQ(split.labeled.size(), 12U);
  EXPECT_TRUE(std::is_sorted(split.labeled.begin(), split.labeled.end()));
  EXPECT_EQ(std::set(split.labeled.begin(), split.labeled.end()).size(), 12U);
  EXPECT_THAT(split.dev, IsEmpty());
  EXPECT_EQ(split.train_images, 60);
  EXPECT_EQ(split.data_digest, data.digest);
  EXPECT_EQ(split.digest.size(), 64U);
}

TEST(LabelSplit, ProportionalFollowsTheClassFrequencies) {
  EXPECT_EQ(split_labels(uneven(), {.labels = 12, .label_mode = LabelMode::kProportional}).counts, (Rows{6, 4, 2}));
  EXPECT_EQ(split_labels(uneven(), {.labels = 60, .label_mode = LabelMode::kProportional}).counts, (Rows{30, 20, 10}));
  const auto counts = [](int64_t labels) {
    return split_labels(uneven(), {.labels = labels, .label_mode = LabelMode::kProportional}).counts;
  };
  EXPECT_EQ(counts(3), (Rows{2, 1, 0}));  // 30/3 equals 10/1: ties go to the first class
  EXPECT_EQ(counts(4), (Rows{2, 1, 1}));
  EXPECT_EQ(counts(5), (Rows{2, 2, 1}));
  EXPECT_EQ(counts(6), (Rows{3, 2, 1}));
  const LabelSplit two = split_labels(uneven(), {.labels = 2, .label_mode = LabelMode::kProportional});
  EXPECT_EQ(two.counts, (Rows{1, 1, 0}));
  EXPECT_THAT(two.notes, ElementsAre("class \"class2\" has no labeled image"));
}

TEST(LabelSplit, RandomTakesTheRequestedNumber) {
  const LabelSplit split = split_labels(uneven(), {.labels = 37, .label_mode = LabelMode::kRandom});
  EXPECT_EQ(split.labeled.size(), 37U);
  EXPECT_EQ(split.counts[0] + split.counts[1] + split.counts[2], 37);
}

TEST(LabelSplit, ZeroUsesAllLabels) {
  const LabelSplit split = split_labels(tiny_dataset({0, -1, 1, 1, -1}, 2), {});
  EXPECT_THAT(split.labeled, ElementsAre(0, 2, 3));
  EXPECT_EQ(split.mode, "all");
}

TEST(LabelSplit, NeverDrawsUnlabeledImages) {
  const Dataset data = tiny_dataset({-1, 0, -1, 1, -1, 0, -1, 1}, 2);
  for (int64_t seed = 0; seed < 20; ++seed) {
    for (const LabelMode mode : {LabelMode::kBalanced, LabelMode::kProportional, LabelMode::kRandom}) {
      const LabelSplit split =
          split_labels(data, {.labels = 2, .label_mode = mode, .split_seed = seed, .dev_images = 1});
      for (const int64_t row : split.labeled) EXPECT_EQ(row % 2, 1);
      for (const int64_t row : split.dev) EXPECT_EQ(row % 2, 1);
    }
  }
}

TEST(LabelSplit, SmallerIsASubsetOfLarger) {
  const Dataset data = uneven();
  for (const LabelMode mode : {LabelMode::kBalanced, LabelMode::kProportional, LabelMode::kRandom}) {
    Rows before;
    for (int64_t labels = 3; labels <= 30; labels += 3) {
      const Rows now = split_labels(data, {.labels = labels, .label_mode = mode, .dev_images = 0}).labeled;
      EXPECT_TRUE(is_subset(before, now)) << static_cast<int>(mode) << ' ' << labels;
      before = now;
    }
  }
}

TEST(LabelSplit, DependsOnTheSeed) {
  const Dataset data = uneven();
  const LabelSplit one = split_labels(data, {.labels = 12, .split_seed = 1});
  EXPECT_EQ(split_labels(data, {.labels = 12, .split_seed = 1}).digest, one.digest);
  const auto counts = [](int64_t labels) {
    return split_labels(uneven(), {.labels = labels, .label_mode = LabelMode::kProportional}).counts;
  };
  EXPECT_EQ(counts(3), (Rows{2, 1, 0}));  // 30/3 equals 10/1: ties go to the first class
  EXPECT_EQ(counts(4), (Rows{2, 1, 1}));
  EXPECT_EQ(counts(5), (Rows{2, 2, 1}));
  EXPECT_EQ(counts(6), (Rows{3, 2, 1}));
  const LabelSplit two = split_labels(data, {.labels = 12, .split_seed = 2});
  EXPECT_NE(two.labeled, one.labeled);
  EXPECT_NE(two.digest, one.digest);
}

TEST(LabelSplit, HoldsOutDevelopmentImages) {
  const Dataset data = uneven();
  const LabelSplit split = split_labels(data, {.labels = 12, .dev_images = 20});
  EXPECT_EQ(split.dev.size(), 20U);
  for (const int64_t row : split.labeled) EXPECT_FALSE(std::binary_search(split.dev.begin(), split.dev.end(), row));
  // They have their own random order, so drawing them does not replace all labeled images.
  Rows kept;
  std::ranges::set_intersection(split.labeled, split_labels(data, {.labels = 12}).labeled, std::back_inserter(kept));
  EXPECT_GT(kept.size(), 4U);
  // They do not depend on the number of labels. Without --labels, all other images are labeled.
  EXPECT_EQ(split_labels(data, {.labels = 6, .dev_images = 20}).dev, split.dev);
  EXPECT_EQ(split_labels(data, {.dev_images = 20}).labeled.size(), 40U);
}

TEST(LabelSplit, TrainImagesLimitTheTrainingSet) {
  const Dataset data = uneven();
  EXPECT_THAT(split_labels(data, {.labels = 12}).kept, IsEmpty());
  const LabelSplit split = split_labels(data, {.labels = 6, .dev_images = 10, .train_images = 30});
  EXPECT_EQ(split.kept.size(), 30U);
  EXPECT_TRUE(std::is_sorted(split.kept.begin(), split.kept.end()));
  EXPECT_EQ(std::set(split.kept.begin(), split.kept.end()).size(), 30U);
  EXPECT_EQ(split.counts, (Rows{2, 2, 2}));
  EXPECT_TRUE(is_subset(split.labeled, split.kept));
  for (const int64_t row : split.dev) EXPECT_FALSE(std::binary_search(split.kept.begin(), split.kept.end(), row));
  // The limit does not change the development images. Without --labels, all kept images are labeled.
  EXPECT_EQ(split.dev, split_labels(data, {.labels = 6, .dev_images = 10}).dev);
  EXPECT_EQ(split_labels(data, {.dev_images = 10, .train_images = 30}).labeled, split.kept);
  // The kept images have their own random order.
  EXPECT_NE(split_labels(data, {.train_images = 10}).kept, split.dev);
  // A limit of all images labels the same images as no limit.
  EXPECT_EQ(split_labels(data, {.labels = 6, .train_images = 60}).labeled, split_labels(data, {.labels = 6}).labeled);
  // Drawn uniformly over the classes: half of 30, 20 and 10.
  Rows counts(3);
  for (const int64_t row : split_labels(data, {.train_images = 30}).kept)
    ++counts[row % 6 < 3 ? 0 : row % 6 < 5 ? 1 : 2];
  EXPECT_NEAR(static_cast<double>(counts[0]), 15, 6);
  EXPECT_NEAR(static_cast<double>(counts[1]), 10, 6);
}

TEST(LabelSplit, FewerTrainImagesAreASubsetOfMore) {
  const Dataset data = uneven();
  for (const int64_t dev : {0, 7}) {
    Rows before;
    for (int64_t images = 10; images <= 50; images += 10) {
      const Rows now = split_labels(data, {.dev_images = dev, .train_images = images}).kept;
      EXPECT_TRUE(is_subset(before, now)) << images;
      before = now;
    }
  }
  // Among the kept images, fewer labels are a subset of more. Another seed keeps other images.
  const auto labeled = [&](int64_t labels) {
    return split_labels(data, {.labels = labels, .train_images = 40}).labeled;
  };
  EXPECT_TRUE(is_subset(labeled(6), labeled(12)));
  EXPECT_NE(split_labels(data, {.split_seed = 2, .train_images = 30}).kept,
            split_labels(data, {.split_seed = 1, .train_images = 30}).kept);
}

TEST(LabelSplit, KeepsUnlabeledImagesToo) {
  Rows labels(40, -1);
  labels[3] = 0;
  labels[5] = 1;
  labels[9] = 0;
  labels[11] = 1;
  const LabelSplit split = split_labels(tiny_dataset(labels, 2), {.train_images = 38});
  EXPECT_EQ(split.kept.size(), 38U);
  EXPECT_LE(split.labeled.size(), 4U);
  EXPECT_GE(split.labeled.size(), 2U);
  EXPECT_TRUE(is_subset(split.labeled, split.kept));
}

TEST(LabelSplit, LabelNoiseChangesTheShownLabels) {
  const Dataset data = uneven();
  const LabelSplit plain = split_labels(data, {.labels = 30});
  EXPECT_THAT(plain.shown, IsEmpty());
  EXPECT_THAT(plain.notes, IsEmpty());
  const LabelSplit split = split_labels(data, {.labels = 30, .noise = {.level = 0.4, .seed = 3}});
  EXPECT_EQ(split.labeled, plain.labeled);
  EXPECT_EQ(split.counts, plain.counts);  // by the true labels
  ASSERT_EQ(split.shown.size(), 30U);
  const int64_t* const labels = data.train.labels.data_ptr<int64_t>();
  Rows truth;
  for (const int64_t row : split.labeled) truth.push_back(labels[row]);
  EXPECT_EQ(split.shown, noisy_labels(truth, noise_matrix("wrong", 3), 0.4, 3));
  EXPECT_THAT(split.notes, ElementsAre("label noise: 12 of 30 labels are wrong (40.0 %)"));
  EXPECT_EQ(split.noise.level, 0.4);
  EXPECT_EQ(split.noise.seed, 3);
  EXPECT_NE(split.digest, plain.digest);
  const LabelSplit other = split_labels(data, {.labels = 30, .noise = {.level = 0.4, .seed = 4}});
  EXPECT_NE(other.shown, split.shown);
  EXPECT_NE(other.digest, split.digest);
  // The note counts the labels that are wrong, not the labels that were drawn anew.
  const LabelSplit random = split_labels(data, {.labels = 30, .noise = {.level = 1, .kind = "random"}});
  int64_t wrong = 0;
  for (size_t i = 0; i < truth.size(); ++i) wrong += random.shown[i] != truth[i] ? 1 : 0;
  EXPECT_LT(wrong, 30);
  ASSERT_EQ(random.notes.size(), 1U);
  EXPECT_THAT(random.notes[0], StartsWith("label noise: " + std::to_string(wrong) + " of 30 labels are wrong ("));
}

TEST(LabelSplit, RejectsImpossibleRequests) {
  const Dataset data = uneven();
  const auto error = [&](const SplitOptions& options) {
    EXPECT_EQ(kind_of(data, options), ErrorKind::kUsage);
    return error_of([&] { split_labels(data, options); });
  };
  EXPECT_EQ(error({.labels = 13}),
            "--labels 13: not a multiple of the 3 classes; use 12 or 15, or --label-mode proportional or random");
  EXPECT_THAT(error({.labels = 2}), HasSubstr("classes; use 3, or"));
  EXPECT_EQ(error({.labels = 33}),
            "--labels 33: needs 11 labeled images per class, but class \"class2\" has 10; use at most 30, or "
            "--label-mode proportional");
  EXPECT_EQ(error({.labels = 63}), "--labels 63: tiny has only 60 labeled training images; use --labels 0 for all");
  EXPECT_EQ(
      error({.labels = 60, .label_mode = LabelMode::kRandom, .dev_images = 1}),
      "--labels 60: tiny has only 59 labeled training images, excluding the development images; use --labels 0 for "
      "all");
  EXPECT_THAT(error({.dev_images = 60}), StartsWith("--dev-images 60: tiny has only 60 labeled training images"));
  EXPECT_EQ(error({.train_images = 61}), "--train-images 61: tiny has only 60 training images");
  EXPECT_EQ(error({.dev_images = 7, .train_images = 54}),
            "--train-images 54: tiny has only 53 training images, excluding the development images");
  EXPECT_EQ(error({.labels = 12, .label_mode = LabelMode::kRandom, .train_images = 11}),
            "--labels 12: tiny has only 11 labeled training images; use --labels 0 for all");
  EXPECT_THAT(error({.labels = 6, .noise = {.kind = "some"}}),
              StartsWith("invalid --label-noise-kind 'some'; must be"));
  const std::string none = error_of([] { split_labels(tiny_dataset({-1, -1}, 2), {}); });
  EXPECT_EQ(none, "tiny: no training image has a label");
}

TEST(LabelSplitFile, WriteAndReadRoundTrip) {
  const TemporaryFolder folder;
  const Dataset data = uneven();
  const LabelSplit split = split_labels(data, {.labels = 12, .split_seed = 5, .dev_images = 7});
  write_label_split(folder / "labels.json", split);
  const LabelSplit again = split_labels(data, {.labels_file = folder / "labels.json"});
  EXPECT_EQ(again.labeled, split.labeled);
  EXPECT_EQ(again.dev, split.dev);
  EXPECT_EQ(again.counts, split.counts);
  EXPECT_EQ(again.mode, split.mode);
  EXPECT_EQ(again.seed, split.seed);
  EXPECT_EQ(again.digest, split.digest);
  EXPECT_EQ(label_split_from_json(label_split_json(split), data, "x").digest, split.digest);
  // Options with the same numbers as in the file are allowed; others are errors.
  EXPECT_NO_THROW(split_labels(data, {.labels = 12, .labels_file = folder / "labels.json", .dev_images = 7}));
  EXPECT_THAT(error_of([&] { split_labels(data, {.labels = 9, .labels_file = folder / "labels.json"}); }),
              StartsWith("--labels 9: "));
  EXPECT_THAT(error_of([&] { split_labels(data, {.labels_file = folder / "labels.json", .dev_images = 8}); }),
              StartsWith("--dev-images 8: "));
}

TEST(LabelSplitFile, MayBeWrittenByHand) {
  const Dataset data = uneven();
  const Json json = {
      {"format", "frgan label split 1"}, {"data_digest", data.digest}, {"train_images", 60}, {"labeled", {5, 0, 3}}};
  const LabelSplit split = label_split_from_json(json, data, "mine.json");
  EXPECT_THAT(split.labeled, ElementsAre(0, 3, 5));
  EXPECT_THAT(split.dev, IsEmpty());
  EXPECT_EQ(split.counts, (Rows{1, 1, 1}));
}

TEST(LabelSplitFile, RoundTripOfKeptImagesAndShownLabels) {
  const TemporaryFolder folder;
  const Dataset data = uneven();
  const SplitOptions options{.labels = 12,
                             .split_seed = 5,
                             .dev_images = 7,
                             .train_images = 40,
                             .noise = {.level = 0.5, .kind = "random", .seed = 4}};
  const LabelSplit split = split_labels(data, options);
  const std::string path = folder / "labels.json";
  write_label_split(path, split);
  const LabelSplit again = split_labels(data, {.labels_file = path});
  EXPECT_EQ(again.labeled, split.labeled);
  EXPECT_EQ(again.dev, split.dev);
  EXPECT_EQ(again.kept, split.kept);
  EXPECT_EQ(again.shown, split.shown);
  EXPECT_EQ(again.noise.level, 0.5);
  EXPECT_EQ(again.noise.kind, "random");
  EXPECT_EQ(again.noise.seed, 4);
  EXPECT_EQ(again.digest, split.digest);
  EXPECT_EQ(again.notes, split.notes);
  EXPECT_EQ(label_split_json(again), label_split_json(split));
  SplitOptions without_noise = options;
  without_noise.noise = {};
  EXPECT_NE(split_labels(data, without_noise).digest, split.digest);  // although the rows are equal

  EXPECT_NO_THROW(split_labels(data, {.labels_file = path, .train_images = 40}));
  EXPECT_EQ(error_of([&] { split_labels(data, {.labels_file = path, .train_images = 41}); }),
            "--train-images 41: --labels-file " + path + " has 40; omit one of the two options");
  // Label noise cannot be applied twice.
  const SplitOptions twice{.labels_file = path, .noise = {.level = 0.1}};
  EXPECT_EQ(kind_of(data, twice), ErrorKind::kUsage);
  EXPECT_EQ(error_of([&] { split_labels(data, twice); }),
            "--label-noise: the labels file already contains label noise; omit the option");
}

TEST(LabelSplitFile, AcceptsLabelNoiseOnReading) {
  const TemporaryFolder folder;
  const Dataset data = uneven();
  const SplitOptions noisy{.labels = 12, .noise = {.level = 0.5, .seed = 4}};
  write_label_split(folder / "labels.json", split_labels(data, {.labels = 12}));
  const LabelSplit read = split_labels(data, {.labels_file = folder / "labels.json", .noise = noisy.noise});
  EXPECT_EQ(read.shown, split_labels(data, noisy).shown);
  EXPECT_EQ(read.digest, split_labels(data, noisy).digest);
  EXPECT_THAT(read.notes, ElementsAre("label noise: 6 of 12 labels are wrong (50.0 %)"));
}

// A file from before kept images and shown labels existed (commit 94734b0). Its digest is in checkpoints and summaries
// of old runs, so it must not change.
TEST(LabelSplitFile, ReadsOldFilesWithTheSameDigest) {
  const Dataset data = uneven();
  const LabelSplit split = split_labels(data, {.labels = 12, .split_seed = 5, .dev_images = 7});
  const std::string digest = "2eec1b8cc4242e582baaf90f46740ca745c738a8158d7842d298893ff5be4930";
  EXPECT_EQ(split.digest, digest);
  const Json old = parse_json(R"({
    "format": "frgan label split 1",
    "data_digest": "82ee73a3c24100250c68a86f5757a64dd2f81738e8f1097b0ef33d9f4555adfb", "train_images": 60,
    "mode": "balanced", "seed": 5, "counts": [4, 4, 4],
    "digest": "2eec1b8cc4242e582baaf90f46740ca745c738a8158d7842d298893ff5be4930",
    "labeled": [3, 5, 8, 22, 23, 35, 36, 39, 42, 47, 51, 55], "dev": [2, 16, 20, 38, 50, 56, 57]})",
                              "test");
  const LabelSplit read = label_split_from_json(old, data, "old.json");
  EXPECT_EQ(read.digest, digest);
  EXPECT_EQ(read.labeled, split.labeled);
  EXPECT_EQ(read.dev, split.dev);
  EXPECT_THAT(read.kept, IsEmpty());
  EXPECT_THAT(read.shown, IsEmpty());
  // A new file without kept images and shown labels omits their keys.
  const Json json = label_split_json(split);
  for (const char* key : {"kept", "shown", "label_noise"}) EXPECT_FALSE(json.contains(key)) << key;
}

TEST(LabelSplitFile, RejectsInvalidKeptImages) {
  const Dataset data = tiny_dataset(round_robin(30, 3), 3);
  const LabelSplit split = split_labels(data, {.labels = 6, .dev_images = 2, .train_images = 20});
  const auto error = [&](const Rows& kept, const LabelSplit& whole) {
    Json json = label_split_json(whole);
    json.erase("digest");
    json["kept"] = kept;
    return error_of([&] { label_split_from_json(json, data, "l.json"); });
  };
  Rows with_dev = split.kept;
  with_dev.insert(std::upper_bound(with_dev.begin(), with_dev.end(), split.dev[1]), split.dev[1]);
  EXPECT_EQ(error(with_dev, split), "l.json: row " + std::to_string(split.dev[1]) + " is in both 'kept' and 'dev'");
  Rows without_labeled = split.kept;
  std::erase(without_labeled, split.labeled[2]);
  EXPECT_EQ(error(without_labeled, split), "l.json: a row of 'labeled' is missing in 'kept'");
  Rows mixed = split.kept;
  std::swap(mixed[3], mixed[4]);
  const std::string not_ascending = "l.json: 'kept' must be a list of ascending rows from 0 to 29";
  EXPECT_EQ(error(mixed, split), not_ascending);
  Rows twice = split.kept;
  twice.insert(twice.begin() + 3, twice[3]);
  EXPECT_EQ(error(twice, split), not_ascending);
  EXPECT_EQ(error({0, 30}, split), not_ascending);
  EXPECT_EQ(error({-1, 3}, split), not_ascending);

  Json json = label_split_json(split);
  Rows fewer = split.kept;
  fewer.erase(std::ranges::find_if(
      fewer, [&](int64_t row) { return !std::binary_search(split.labeled.begin(), split.labeled.end(), row); }));
  json["kept"] = fewer;
  EXPECT_THAT(error_of([&] { label_split_from_json(json, data, "l.json"); }),
              HasSubstr("the rows do not match the digest"));
  json["kept"] = "all";
  EXPECT_THAT(error_of([&] { label_split_from_json(json, data, "l.json"); }),
              StartsWith("l.json: incomplete or invalid label split ("));
}

TEST(LabelSplitFile, RejectsInvalidShownLabels) {
  const Dataset data = tiny_dataset(round_robin(30, 3), 3);
  const LabelSplit split = split_labels(data, {.labels = 6, .noise = {.level = 0.5}});
  const auto error = [&](auto change) {
    Json json = label_split_json(split);
    json.erase("digest");
    change(json);
    return error_of([&] { label_split_from_json(json, data, "l.json"); });
  };
  const std::string one_label_per_row =
      "l.json: 'shown' needs one label per row of 'labeled', and 'labeled' in ascending order";
  EXPECT_EQ(error([](Json& j) { j["shown"].erase(5); }), one_label_per_row);
  EXPECT_EQ(error([](Json& j) { j["shown"].push_back(0); }), one_label_per_row);
  EXPECT_EQ(error([](Json& j) { std::swap(j["labeled"][0], j["labeled"][1]); }), one_label_per_row);
  EXPECT_EQ(error([](Json& j) { j["shown"][2] = 3; }), "l.json: 'shown' contains 3; classes must be 0 to 2");
  EXPECT_EQ(error([](Json& j) { j["shown"][2] = -1; }), "l.json: 'shown' contains -1; classes must be 0 to 2");
  EXPECT_THAT(error([](Json& j) { j["shown"] = "none"; }), StartsWith("l.json: incomplete or invalid label split ("));
  EXPECT_THAT(error([&](Json& j) {
                j["digest"] = split.digest;
                j["shown"][0] = (split.shown[0] + 1) % 3;
              }),
              HasSubstr("the rows do not match the digest"));
  // "label_noise" is optional, for labels from another source.
  Json mine = label_split_json(split);
  mine.erase("digest");
  mine.erase("label_noise");
  mine["shown"] = {0, 0, 0, 0, 0, 0};
  const LabelSplit read = label_split_from_json(mine, data, "l.json");
  EXPECT_EQ(read.shown, Rows(6, 0));
  EXPECT_EQ(read.noise.kind, "file");
  EXPECT_THAT(read.notes, ElementsAre("label noise: 4 of 6 labels are wrong (66.7 %)"));
}

TEST(LabelSplitFile, RejectsInvalidContents) {
  Rows labels = round_robin(30, 3);
  labels[4] = -1;
  const Dataset data = tiny_dataset(labels, 3);
  const Json good = label_split_json(split_labels(data, {.labels = 6, .dev_images = 2}));
  const auto error = [&](auto change) {
    Json json = good;
    json.erase("digest");
    change(json);
    return error_of([&] { label_split_from_json(json, data, "l.json"); });
  };
  EXPECT_THAT(error([](Json& j) { j = Json::array(); }), StartsWith("l.json: not a frgan label split; expected"));
  EXPECT_THAT(error([](Json& j) { j["format"] = 1; }), StartsWith("l.json: incomplete or invalid label split"));
  EXPECT_THAT(error([](Json& j) { j["format"] = "frgan label split 3"; }), HasSubstr("\"frgan label split 1\""));
  EXPECT_THAT(error([](Json& j) { j["train_images"] = 31; }),
              StartsWith("l.json: label split of other data: 31 training images"));
  EXPECT_THAT(error([](Json& j) { j["data_digest"] = "abc"; }), HasSubstr("label split of other data"));
  EXPECT_THAT(error([](Json& j) { j.erase("data_digest"); }), StartsWith("l.json: incomplete or invalid label split"));
  EXPECT_THAT(error([](Json& j) { j.erase("labeled"); }), StartsWith("l.json: incomplete or invalid label split"));
  EXPECT_EQ(error([](Json& j) { j["labeled"] = 3; }), "l.json: 'labeled' is not a list of rows");
  EXPECT_EQ(error([](Json& j) { j["labeled"] = {0, 30}; }), "l.json: 'labeled' contains 30; rows must be 0 to 29");
  EXPECT_THAT(error([](Json& j) { j["labeled"] = {0, -1}; }), HasSubstr("contains -1; rows must be"));
  EXPECT_THAT(error([](Json& j) { j["labeled"] = {0, 1.5}; }), HasSubstr("contains 1.5; rows must be"));
  EXPECT_THAT(error([](Json& j) { j["dev"] = {"x"}; }), HasSubstr("'dev' contains \"x\"; rows must be"));
  EXPECT_THAT(error([](Json& j) { j["labeled"] = {uint64_t{1} << 63}; }), HasSubstr("rows must be"));
  EXPECT_EQ(error([](Json& j) { j["labeled"] = {2, 0, 2}; }), "l.json: 'labeled' contains row 2 twice");
  EXPECT_EQ(error([](Json& j) { j["labeled"] = {4}; }), "l.json: 'labeled' contains row 4, an unlabeled image");
  EXPECT_EQ(error([](Json& j) { j["dev"] = j["labeled"]; }),
            "l.json: row " + good["labeled"][0].dump() + " is in both 'labeled' and 'dev'");
  EXPECT_THAT(error([](Json& j) { j["labeled"] = Json::array(); }), HasSubstr("'labeled' is empty"));
  EXPECT_THAT(error([&](Json& j) {
                j["digest"] = good["digest"];
                j["labeled"] = {0, 1, 2};
              }),
              HasSubstr("the rows do not match the digest"));
}

TEST(LabelSplitFile, RejectsUnreadableFiles) {
  const TemporaryFolder folder;
  const Dataset data = uneven();
  write_label_split(folder / "labels.json", split_labels(data, {.labels = 12}));
  const std::string text = read_file(folder / "labels.json");
  write_file_safely(folder / "truncated.json", text.substr(0, text.size() / 2));
  EXPECT_THAT(error_of([&] { read_label_split(folder / "truncated.json", data); }),
              HasSubstr("truncated.json: not JSON, or truncated"));
  EXPECT_THAT(error_of([&] { read_label_split(folder / "none.json", data); }), HasSubstr("none.json"));
  write_file_safely(folder / "deep.json", std::string(200'000, '['));
  EXPECT_THAT(error_of([&] { read_label_split(folder / "deep.json", data); }), HasSubstr("nested more than 64 levels"));
}

// 60 images of files with invented digests, in the order of an image folder: by class, then by digest.
Dataset of_files(const std::vector<int64_t>& numbers) {
  std::vector<std::tuple<int64_t, std::string, int64_t>> images;
  for (const int64_t i : numbers) {
    images.emplace_back(i % 3, sha256(bytes_of(std::to_string(i))), i);
  }
  std::sort(images.begin(), images.end());
  Rows labels;
  for (const auto& [label, digest, i] : images) labels.push_back(label);
  Dataset data = tiny_dataset(labels, 3);
  for (const auto& [label, digest, i] : images) {
    data.train.digests.push_back(digest);
    data.train.files.push_back(std::to_string(i) + ".png");
  }
  finish_dataset(data);
  return data;
}

Rows numbers_to(int64_t count) {
  Rows numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), int64_t{0});
  return numbers;
}

std::set<std::string> files_of(const Rows& rows, const Dataset& data) {
  std::set<std::string> files;
  for (const int64_t row : rows) files.insert(data.train.files[static_cast<size_t>(row)]);
  return files;
}

size_t count_missing(const std::set<std::string>& from, const std::set<std::string>& in) {
  std::vector<std::string> missing;
  std::ranges::set_difference(from, in, std::back_inserter(missing));
  return missing.size();
}

TEST(LabelSplitOfFiles, AnAddedFileDisplacesAtMostOneImage) {
  const Dataset data = of_files(numbers_to(60));
  for (const int64_t train_images : {0, 30}) {
    const SplitOptions options{.labels = 12, .dev_images = 10, .train_images = train_images};
    const LabelSplit before = split_labels(data, options);
    EXPECT_EQ(before.counts, (Rows{4, 4, 4}));
    size_t unchanged = 0;
    for (int64_t added = 60; added < 90; ++added) {
      Rows numbers = numbers_to(60);
      numbers.push_back(added);
      const Dataset more = of_files(numbers);
      const LabelSplit after = split_labels(more, options);
      const std::set<std::string> dev = files_of(after.dev, more);
      const size_t displaced = count_missing(files_of(before.labeled, data), files_of(after.labeled, more));
      const bool is_dev = dev.contains(std::to_string(added) + ".png");
      EXPECT_EQ(count_missing(files_of(before.dev, data), dev), is_dev ? 1U : 0U);
      EXPECT_LE(displaced, train_images == 0 ? 1U : 2U);
      unchanged += displaced == 0 ? 1 : 0;
    }
    // With train_images, one image leaves the kept ones for most added files. It may be a labeled one.
    EXPECT_GT(unchanged, train_images == 0 ? 10U : 0U);
  }
}

TEST(LabelSplitOfFiles, DependsOnTheSeedOnly) {
  const Dataset data = of_files(numbers_to(60));
  Rows reversed = numbers_to(60);
  std::ranges::reverse(reversed);
  const LabelSplit split = split_labels(data, {.labels = 12});
  EXPECT_EQ(split_labels(of_files(reversed), {.labels = 12}).digest, split.digest);
  EXPECT_NE(split_labels(data, {.labels = 12, .split_seed = 2}).labeled, split.labeled);
  EXPECT_TRUE(is_subset(split_labels(data, {.labels = 6}).labeled, split.labeled));
  EXPECT_NE(split_labels(data, {.dev_images = 20}).dev, split_labels(data, {.train_images = 20}).kept);
  // The draw is part of the results of a run.
  EXPECT_EQ(split.digest, "53cdeb0a716abb7725621300c451140bdcd238457e32890e61661dfeebcfa484");
}

TEST(LabelSplitOfFiles, IsFoundByContent) {
  const Dataset data = of_files(numbers_to(60));
  const LabelSplit split = split_labels(data, {.labels = 12, .dev_images = 10, .train_images = 40});
  const Json json = label_split_json(split);
  EXPECT_EQ(json.at("format"), "frgan label split 2");
  EXPECT_EQ(json.at("labeled")[0].get<std::string>(), data.train.digests[static_cast<size_t>(split.labeled[0])] + " " +
                                                          data.train.files[static_cast<size_t>(split.labeled[0])]);
  Dataset more = of_files(numbers_to(90));
  for (std::string& file : more.train.files) file = "renamed/" + file;
  const LabelSplit read = label_split_from_json(json, more, "l.json");
  std::set<std::string> labeled;
  for (const std::string& file : files_of(split.labeled, data)) labeled.insert("renamed/" + file);
  EXPECT_EQ(files_of(read.labeled, more), labeled);
  EXPECT_EQ(read.dev.size(), 10U);
  EXPECT_EQ(read.kept.size(), 40U);
  EXPECT_EQ(read.digest, split.digest);
  EXPECT_EQ(read.counts, split.counts);
  EXPECT_EQ(label_split_from_json(label_split_json(read), data, "l.json").labeled, split.labeled);
}

TEST(LabelSplitOfFiles, RejectsWhatIsNotThere) {
  const Dataset data = of_files(numbers_to(60));
  const Json good = label_split_json(split_labels(data, {.labels = 12, .dev_images = 10}));
  const auto error = [&](auto change, const Dataset& in) {
    Json json = good;
    json.erase("digest");
    change(json);
    return error_of([&] { label_split_from_json(json, in, "l.json"); });
  };
  const auto as_it_is = [](Json&) {};
  EXPECT_NO_THROW(label_split_from_json(good, data, "l.json"));
  EXPECT_THAT(error(as_it_is, of_files(numbers_to(20))),
              HasSubstr(" images in 'labeled' not found in tiny, 16x16x1, any "
                        "more, by content: "));
  EXPECT_THAT(error(as_it_is, uneven()),
              HasSubstr("label split of image files; tiny, 16x16x1, is not read from image"));
  EXPECT_EQ(
      error([](Json& j) { j["labeled"][1] = "abc 1.png"; }, data),
      "l.json: 'labeled' contains \"abc 1.png\"; expected the SHA-256 of a file in hexadecimal digits, and its path");
  EXPECT_THAT(error(
                  [](Json& j) {
                    j["labeled"] = {1, 2};
                  },
                  data),
              StartsWith("l.json: incomplete or invalid label split"));
  EXPECT_THAT(error([](Json& j) { j["labeled"] = 3; }, data), HasSubstr("'labeled' is not a list of files"));
  EXPECT_THAT(error([](Json& j) { j["labeled"][1] = j["labeled"][0]; }, data), HasSubstr(".png twice"));
  EXPECT_THAT(error([](Json& j) { j["dev"][0] = j["labeled"][0]; }, data),
              HasSubstr(".png is in both 'labeled' and 'dev'"));
  Dataset hidden = data;
  hidden.train.labels = at::full({60}, -1, at::kLong);
  EXPECT_THAT(error(as_it_is, hidden), HasSubstr(".png, an unlabeled image"));
  Json changed = good;
  changed["labeled"].erase(0);
  EXPECT_THAT(error_of([&] { label_split_from_json(changed, data, "l.json"); }), HasSubstr("do not match the digest"));
}

// Label noise is drawn for the labels of exactly these images.
TEST(LabelSplitOfFiles, WithLabelNoiseNeedsTheSameData) {
  const Dataset data = of_files(numbers_to(60));
  const LabelSplit split = split_labels(data, {.labels = 12, .noise = {.level = 0.5}});
  const LabelSplit read = label_split_from_json(label_split_json(split), data, "l.json");
  EXPECT_EQ(read.shown, split.shown);
  EXPECT_EQ(read.digest, split.digest);
  EXPECT_THAT(error_of([&] { label_split_from_json(label_split_json(split), of_files(numbers_to(61)), "l.json"); }),
              HasSubstr("label split of other data"));
}

TEST(SplitOptions, SetTheirFields) {
  SplitOptions split;
  OptionSet options;
  describe(options, split);
  options.find("labels", "test").set_text("500", "test");
  options.find("label-mode", "test").set_text("random", "test");
  options.find("train-images", "test").set_text("4000", "test");
  options.find("label-noise", "test").set_text("0.2", "test");
  EXPECT_EQ(split.labels, 500);
  EXPECT_EQ(split.label_mode, LabelMode::kRandom);
  EXPECT_EQ(split.train_images, 4000);
  EXPECT_EQ(split.noise.level, 0.2);
  EXPECT_THROW(options.find("label-mode", "test").set_text("some", "test"), Error);
  EXPECT_THROW(options.find("labels", "test").set_text("-1", "test"), Error);
}

}  // namespace
}  // namespace frgan
