#include "frgan/report/mistakes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;

// Six images; rows 1, 3 and 4 are misclassified.
Mistakes example_mistakes() {
  const std::vector<int64_t> labels{0, 0, 1, 1, 2, 2}, predictions{0, 1, 1, 2, 0, 2};
  const std::vector<float> probabilities{0.9F, 0.5F, 0.8F, 0.98771F, 0.5F, 1.0F};
  Mistakes found = find_mistakes(labels, predictions, probabilities, {"ant", "bee", "cat"}, /*shown=*/2);
  found.role = EvaluatedImages::kTest;
  found.data_digest = "d1";
  found.split_digest = "s1";
  return found;
}

constexpr const char* kExampleJson =
    R"({"role":"test","data_digest":"d1","split_digest":"s1","images":6,"class_names":["ant","bee","cat"],)"
    R"("class_counts":[2,2,2],"mistakes":[[3,1,2,0.9877],[1,0,1,0.5],[4,2,0,0.5]],"shown":[3,1]})";

TEST(Mistakes, AreSortedByDescendingProbability) {
  EXPECT_EQ(to_json(example_mistakes()).dump(), kExampleJson);
}

TEST(Mistakes, RoundTripThroughFile) {
  const TemporaryFolder folder;
  write_mistakes(folder / "mistakes.json", example_mistakes());
  EXPECT_EQ(read_file(folder / "mistakes.json"), with_checksum(to_json(example_mistakes())).dump() + "\n");
  const Mistakes found = read_mistakes(folder / "mistakes.json");
  EXPECT_THAT(found.mistakes,
              ElementsAre(FieldsAre(3, 1, 2, 0.9877, ""), FieldsAre(1, 0, 1, 0.5, ""), FieldsAre(4, 2, 0, 0.5, "")));
  EXPECT_EQ(to_json(found).dump(), kExampleJson);
}

TEST(Mistakes, NameTheirFiles) {
  Mistakes found = example_mistakes();
  for (Mistake& mistake : found.mistakes) mistake.file = fmt::format("test/{}.png", mistake.row);
  Json json = to_json(found);
  EXPECT_EQ(json.at("files").dump(), R"(["test/3.png","test/1.png","test/4.png"])");
  EXPECT_EQ(mistakes_from_json(json, "m.json").mistakes[1].file, "test/1.png");
  json["files"][1] = "a\x1b[31m.png";
  EXPECT_EQ(mistakes_from_json(json, "m.json").mistakes[1].file, "a\\x1b[31m.png");
  json["files"].erase(2);
  EXPECT_THAT(error_of([&] { mistakes_from_json(json, "m.json"); }), HasSubstr("not one file per mistake"));
  json["files"] = "test/3.png";
  EXPECT_THAT(error_of([&] { mistakes_from_json(json, "m.json"); }), HasSubstr("m.json: not a valid mistakes file"));
}

TEST(Mistakes, GiveErrorAndConfusionMatrix) {
  EXPECT_THAT(confusion(example_mistakes()),
              ElementsAre(ElementsAre(1, 1, 0), ElementsAre(0, 1, 1), ElementsAre(1, 0, 1)));
  EXPECT_THAT(wrong_rows(example_mistakes()), ElementsAre(1, 3, 4));
  const Classification result = score(example_mistakes());
  EXPECT_EQ(result.all.images, 6);
  EXPECT_EQ(result.all.wrong, 3);
  EXPECT_EQ(result.classes[1].images, 2);
  EXPECT_EQ(result.classes[1].wrong, 1);
}

TEST(Mistakes, McNemarNeedsTheSameImages) {
  Mistakes other = example_mistakes();
  other.mistakes = {{3, 1, 0, 0.7}, {0, 0, 2, 0.6}};
  const McNemarTest test = mcnemar(example_mistakes(), other);
  EXPECT_EQ(test.only_first_wrong, 2);   // 1 and 4
  EXPECT_EQ(test.only_second_wrong, 1);  // 0
  EXPECT_DOUBLE_EQ(test.p_value, 1);
  other.split_digest = "s2";
  mcnemar(example_mistakes(), other);  // test images do not depend on the label split
  Mistakes dev = example_mistakes();
  dev.role = other.role = EvaluatedImages::kDev;
  EXPECT_THAT(error_of([&] { mcnemar(dev, other); }), HasSubstr("cannot compare runs on different images"));
  EXPECT_THAT(error_of([&] { mcnemar(example_mistakes(), other); }),
              HasSubstr("6 test images of data d1 against 6 dev images of data d1"));
  other = example_mistakes();
  other.data_digest = "d2";
  EXPECT_THAT(error_of([&] { mcnemar(example_mistakes(), other); }),
              HasSubstr("cannot compare runs on different images"));
}

// The value at a path such as "/mistakes/0/2".
Json& value_at(Json& json, std::string_view path) {
  Json* value = &json;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string key(path.substr(0, path.find('/')));
    path.remove_prefix(key.size());
    value = value->is_array() ? &(*value)[std::stoul(key)] : &(*value)[key];
  }
  return *value;
}

TEST(Mistakes, RejectInconsistentFiles) {
  const auto message = [](const char* pointer, const Json& value) {
    Json json = parse_json(kExampleJson, "test");
    value_at(json, pointer) = value;
    return error_of([&] { mistakes_from_json(json, "m.json"); });
  };
  EXPECT_THAT(message("/role", "train"), HasSubstr("m.json: invalid role \"train\"; expected \"test\" or \"dev\""));
  EXPECT_THAT(message("/class_counts", {6}), HasSubstr("1 class counts for 3 class names"));
  EXPECT_THAT(message("/class_counts/0", 1), HasSubstr("class counts do not match 6 images"));
  EXPECT_THAT(message("/class_counts", {0, 4, 2}), HasSubstr("class counts do not match 6 images and their mistakes"));
  EXPECT_THAT(message("/class_counts", {INT64_MAX, INT64_MAX, 8}), HasSubstr("class counts do not match 6 images"));
  EXPECT_THAT(message("/class_counts", {INT64_MIN, 4, 2}), HasSubstr("class counts do not match 6 images"));
  EXPECT_THAT(message("/mistakes/0/0", 6), HasSubstr("row 6 is a duplicate or outside the 6 images"));
  EXPECT_THAT(message("/mistakes/0/0", 1), HasSubstr("row 1 is a duplicate"));
  EXPECT_THAT(message("/mistakes/0/2", 1),
              HasSubstr("row 3: label 1 and prediction 1 must be two different classes below 3"));
  EXPECT_THAT(message("/mistakes/0/2", 3), HasSubstr("must be two different classes below 3"));
  EXPECT_THAT(message("/mistakes/0/3", 1.5), HasSubstr("row 3: invalid probability 1.5; allowed: 0 to 1"));
  EXPECT_THAT(message("/shown/0", 0), HasSubstr("row 0 is listed in 'shown' but is not a mistake"));
  EXPECT_THAT(message("/images", "six"), HasSubstr("m.json: not a valid mistakes file"));
  EXPECT_THAT(error_of([] { mistakes_from_json(parse_json("[]", "test"), "m.json"); }),
              HasSubstr("m.json: not a valid mistakes file"));
  const TemporaryFolder folder;
  write_file_safely(folder / "mistakes.json", std::string_view(R"({"role": "te)"));
  EXPECT_THAT(error_of([&] { read_mistakes(folder / "mistakes.json"); }),
              HasSubstr("mistakes.json: not JSON, or truncated"));
}

}  // namespace
}  // namespace frgan
