#include "frgan/data/label_split.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Rows = std::vector<int64_t>;

// 60 pictures: 30 of class 0, 20 of class 1, 10 of class 2, mixed.
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

TEST(LabelSplit, BalancedTakesAsManyOfEachClass) {
  const Dataset data = uneven();
  const LabelSplit split = split_labels(data, {.labels = 12});
  EXPECT_EQ(split.counts, (Rows{4, 4, 4}));
  EXPECT_EQ(split.labeled.size(), 12U);
  EXPECT_TRUE(std::is_sorted(split.labeled.begin(), split.labeled.end()));
  EXPECT_EQ(std::set(split.labeled.begin(), split.labeled.end()).size(), 12U);
  EXPECT_THAT(split.dev, IsEmpty());
  EXPECT_EQ(split.train_pictures, 60);
  EXPECT_EQ(split.data_digest, data.digest);
  EXPECT_EQ(split.hash.size(), 64U);
}

TEST(LabelSplit, ProportionalFollowsTheData) {
  EXPECT_EQ(split_labels(uneven(), {.labels = 12, .label_mode = "proportional"}).counts, (Rows{6, 4, 2}));
  EXPECT_EQ(split_labels(uneven(), {.labels = 60, .label_mode = "proportional"}).counts, (Rows{30, 20, 10}));
  const auto counts = [](int64_t labels) {
    return split_labels(uneven(), {.labels = labels, .label_mode = "proportional"}).counts;
  };
  EXPECT_EQ(counts(3), (Rows{2, 1, 0}));  // 30/3 as large as 10/1: the first of equals
  EXPECT_EQ(counts(4), (Rows{2, 1, 1}));
  EXPECT_EQ(counts(5), (Rows{2, 2, 1}));
  EXPECT_EQ(counts(6), (Rows{3, 2, 1}));
  const LabelSplit two = split_labels(uneven(), {.labels = 2, .label_mode = "proportional"});
  EXPECT_EQ(two.counts, (Rows{1, 1, 0}));
  EXPECT_THAT(two.notes, ElementsAre("class \"class2\" has no labeled picture"));
}

TEST(LabelSplit, RandomTakesTheNumber) {
  const LabelSplit split = split_labels(uneven(), {.labels = 37, .label_mode = "random"});
  EXPECT_EQ(split.labeled.size(), 37U);
  EXPECT_EQ(split.counts[0] + split.counts[1] + split.counts[2], 37);
}

TEST(LabelSplit, ZeroIsEveryKnownLabel) {
  const LabelSplit split = split_labels(tiny_dataset({0, -1, 1, 1, -1}, 2), {});
  EXPECT_THAT(split.labeled, ElementsAre(0, 2, 3));
  EXPECT_EQ(split.mode, "all");
}

TEST(LabelSplit, UnknownLabelsAreNeverTaken) {
  const Dataset data = tiny_dataset({-1, 0, -1, 1, -1, 0, -1, 1}, 2);
  for (int64_t seed = 0; seed < 20; ++seed) {
    for (const char* mode : {"balanced", "proportional", "random"}) {
      const LabelSplit split =
          split_labels(data, {.labels = 2, .label_mode = mode, .split_seed = seed, .dev_pictures = 1});
      for (const int64_t row : split.labeled) EXPECT_EQ(row % 2, 1);
      for (const int64_t row : split.dev) EXPECT_EQ(row % 2, 1);
    }
  }
}

TEST(LabelSplit, SmallerIsPartOfLarger) {
  const Dataset data = uneven();
  for (const char* mode : {"balanced", "proportional", "random"}) {
    Rows before;
    for (int64_t labels = 3; labels <= 30; labels += 3) {
      const Rows now = split_labels(data, {.labels = labels, .label_mode = mode, .dev_pictures = 0}).labeled;
      EXPECT_TRUE(is_subset(before, now)) << mode << labels;
      before = now;
    }
  }
}

TEST(LabelSplit, SeedChangesItAndRepeatsIt) {
  const Dataset data = uneven();
  const LabelSplit one = split_labels(data, {.labels = 12, .split_seed = 1});
  EXPECT_EQ(split_labels(data, {.labels = 12, .split_seed = 1}).hash, one.hash);
  const auto counts = [](int64_t labels) {
    return split_labels(uneven(), {.labels = labels, .label_mode = "proportional"}).counts;
  };
  EXPECT_EQ(counts(3), (Rows{2, 1, 0}));  // 30/3 as large as 10/1: the first of equals
  EXPECT_EQ(counts(4), (Rows{2, 1, 1}));
  EXPECT_EQ(counts(5), (Rows{2, 2, 1}));
  EXPECT_EQ(counts(6), (Rows{3, 2, 1}));
  const LabelSplit two = split_labels(data, {.labels = 12, .split_seed = 2});
  EXPECT_NE(two.labeled, one.labeled);
  EXPECT_NE(two.hash, one.hash);
}

TEST(LabelSplit, DevelopmentPicturesAreSetApart) {
  const Dataset data = uneven();
  const LabelSplit split = split_labels(data, {.labels = 12, .dev_pictures = 20});
  EXPECT_EQ(split.dev.size(), 20U);
  for (const int64_t row : split.labeled) EXPECT_FALSE(std::binary_search(split.dev.begin(), split.dev.end(), row));
  // They are drawn in an order of their own: some of the pictures that are labeled without them stay so.
  Rows kept;
  std::ranges::set_intersection(split.labeled, split_labels(data, {.labels = 12}).labeled, std::back_inserter(kept));
  EXPECT_GT(kept.size(), 4U);
  // They do not depend on how many labels are seen, and all labels means all others.
  EXPECT_EQ(split_labels(data, {.labels = 6, .dev_pictures = 20}).dev, split.dev);
  EXPECT_EQ(split_labels(data, {.dev_pictures = 20}).labeled.size(), 40U);
}

TEST(LabelSplit, RefusesWhatCannotBeDrawn) {
  const Dataset data = uneven();
  const auto error = [&](const SplitOptions& options) {
    EXPECT_EQ(kind_of(data, options), ErrorKind::kUsage);
    return error_of([&] { split_labels(data, options); });
  };
  EXPECT_EQ(error({.labels = 13}),
            "--labels 13: 3 classes cannot share them evenly; give 12 or 15, or --label-mode proportional or random");
  EXPECT_THAT(error({.labels = 2}), HasSubstr("evenly; give 3, or"));
  EXPECT_EQ(error({.labels = 33}),
            "--labels 33: needs 11 pictures of each class, but class \"class2\" has 10; give 30 or fewer, or "
            "--label-mode proportional");
  EXPECT_EQ(error({.labels = 63}), "--labels 63: tiny has 60 training pictures with labels");
  EXPECT_EQ(error({.labels = 60, .label_mode = "random", .dev_pictures = 1}),
            "--labels 60: tiny has 59 training pictures with labels beside the development pictures");
  EXPECT_THAT(error({.dev_pictures = 60}), StartsWith("--dev-pictures 60: tiny has 60 training pictures"));
  const std::string none = error_of([] { split_labels(tiny_dataset({-1, -1}, 2), {}); });
  EXPECT_EQ(none, "tiny: no training picture has a label");
}

TEST(LabelSplitFile, GivesTheSplitBack) {
  const TemporaryFolder folder;
  const Dataset data = uneven();
  const LabelSplit split = split_labels(data, {.labels = 12, .split_seed = 5, .dev_pictures = 7});
  write_label_split(folder / "labels.json", split);
  const LabelSplit again = split_labels(data, {.labels_file = folder / "labels.json"});
  EXPECT_EQ(again.labeled, split.labeled);
  EXPECT_EQ(again.dev, split.dev);
  EXPECT_EQ(again.counts, split.counts);
  EXPECT_EQ(again.mode, split.mode);
  EXPECT_EQ(again.seed, split.seed);
  EXPECT_EQ(again.hash, split.hash);
  EXPECT_EQ(label_split_from_json(label_split_json(split), data, "x").hash, split.hash);
  // The same numbers may be said again; others contradict.
  EXPECT_NO_THROW(split_labels(data, {.labels = 12, .labels_file = folder / "labels.json", .dev_pictures = 7}));
  EXPECT_THAT(error_of([&] { split_labels(data, {.labels = 9, .labels_file = folder / "labels.json"}); }),
              StartsWith("--labels 9: "));
  EXPECT_THAT(error_of([&] { split_labels(data, {.labels_file = folder / "labels.json", .dev_pictures = 8}); }),
              StartsWith("--dev-pictures 8: "));
}

TEST(LabelSplitFile, MayBeWrittenByHand) {
  const Dataset data = uneven();
  const nlohmann::json json = {
      {"format", "frgan label split 1"}, {"data_digest", data.digest}, {"train_pictures", 60}, {"labeled", {5, 0, 3}}};
  const LabelSplit split = label_split_from_json(json, data, "mine.json");
  EXPECT_THAT(split.labeled, ElementsAre(0, 3, 5));
  EXPECT_THAT(split.dev, IsEmpty());
  EXPECT_EQ(split.counts, (Rows{1, 1, 1}));
}

TEST(LabelSplitFile, RefusesWhatDoesNotFit) {
  Rows labels = round_robin(30, 3);
  labels[4] = -1;
  const Dataset data = tiny_dataset(labels, 3);
  const nlohmann::json good = label_split_json(split_labels(data, {.labels = 6, .dev_pictures = 2}));
  const auto error = [&](auto change) {
    nlohmann::json json = good;
    json.erase("hash");
    change(json);
    return error_of([&] { label_split_from_json(json, data, "l.json"); });
  };
  using Json = nlohmann::json;
  EXPECT_THAT(error([](Json& j) { j = Json::array(); }), StartsWith("l.json: no label split of frgan; expected"));
  EXPECT_THAT(error([](Json& j) { j["format"] = 1; }), StartsWith("l.json: no whole label split"));
  EXPECT_THAT(error([](Json& j) { j["format"] = "frgan label split 2"; }), HasSubstr("\"frgan label split 1\""));
  EXPECT_THAT(error([](Json& j) { j["train_pictures"] = 31; }),
              StartsWith("l.json: made for other data (31 training pictures"));
  EXPECT_THAT(error([](Json& j) { j["data_digest"] = "abc"; }), HasSubstr("made for other data"));
  EXPECT_THAT(error([](Json& j) { j.erase("data_digest"); }), StartsWith("l.json: no whole label split"));
  EXPECT_THAT(error([](Json& j) { j.erase("labeled"); }), StartsWith("l.json: no whole label split"));
  EXPECT_EQ(error([](Json& j) { j["labeled"] = 3; }), "l.json: \"labeled\" is no list of rows");
  EXPECT_EQ(error([](Json& j) { j["labeled"] = {0, 30}; }), "l.json: \"labeled\" holds 30, expected rows from 0 to 29");
  EXPECT_THAT(error([](Json& j) { j["labeled"] = {0, -1}; }), HasSubstr("holds -1, expected rows"));
  EXPECT_THAT(error([](Json& j) { j["labeled"] = {0, 1.5}; }), HasSubstr("holds 1.5, expected rows"));
  EXPECT_THAT(error([](Json& j) { j["dev"] = {"x"}; }), HasSubstr("\"dev\" holds \"x\", expected rows"));
  EXPECT_THAT(error([](Json& j) { j["labeled"] = {uint64_t{1} << 63}; }), HasSubstr("expected rows"));
  EXPECT_EQ(error([](Json& j) { j["labeled"] = {2, 0, 2}; }), "l.json: \"labeled\" holds row 2 twice");
  EXPECT_EQ(error([](Json& j) { j["labeled"] = {4}; }),
            "l.json: \"labeled\" holds row 4, a picture whose label is not known");
  EXPECT_EQ(error([](Json& j) { j["dev"] = j["labeled"]; }),
            "l.json: row " + good["labeled"][0].dump() + " is both a labeled and a development picture");
  EXPECT_THAT(error([](Json& j) { j["labeled"] = Json::array(); }), HasSubstr("\"labeled\" is empty"));
  EXPECT_THAT(error([&](Json& j) {
                j["hash"] = good["hash"];
                j["labeled"] = {0, 1, 2};
              }),
              HasSubstr("the file was altered"));
}

TEST(LabelSplitFile, RefusesBrokenFiles) {
  const TemporaryFolder folder;
  const Dataset data = uneven();
  write_label_split(folder / "labels.json", split_labels(data, {.labels = 12}));
  const std::string text = read_file(folder / "labels.json");
  write_file_safely(folder / "cut.json", text.substr(0, text.size() / 2));
  EXPECT_THAT(error_of([&] { read_label_split(folder / "cut.json", data); }), HasSubstr("cut.json: no JSON, or cut"));
  EXPECT_THAT(error_of([&] { read_label_split(folder / "none.json", data); }), HasSubstr("none.json"));
}

TEST(SplitOptions, AreDeclared) {
  SplitOptions split;
  OptionSet options;
  describe(options, split);
  options.find("labels", "test").set_text("500", "test");
  options.find("label-mode", "test").set_text("random", "test");
  EXPECT_EQ(split.labels, 500);
  EXPECT_EQ(split.label_mode, "random");
  EXPECT_THROW(options.find("label-mode", "test").set_text("some", "test"), Error);
  EXPECT_THROW(options.find("labels", "test").set_text("-1", "test"), Error);
}

}  // namespace
}  // namespace frgan
