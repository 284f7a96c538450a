#include "frgan/report/mistakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;

// Six images; rows 1, 3 and 4 are wrong.
Mistakes six() {
  const std::vector<int64_t> labels{0, 0, 1, 1, 2, 2}, predictions{0, 1, 1, 2, 0, 2};
  const std::vector<float> probabilities{0.9F, 0.5F, 0.8F, 0.98771F, 0.5F, 1.0F};
  Mistakes found = find_mistakes(labels, predictions, probabilities, {"ant", "bee", "cat"}, /*shown=*/2);
  found.role = "test";
  found.data_digest = "d1";
  found.split_digest = "s1";
  return found;
}

constexpr const char* kSix =
    R"({"role":"test","data_digest":"d1","split_digest":"s1","images":6,"class_names":["ant","bee","cat"],)"
    R"("class_counts":[2,2,2],"mistakes":[[3,1,2,0.9877],[1,0,1,0.5],[4,2,0,0.5]],"shown":[3,1]})";

TEST(Mistakes, AreTheMostConfidentFirst) {
  EXPECT_EQ(to_json(six()).dump(), kSix);
}

TEST(Mistakes, AreReadAsTheyWereWritten) {
  const TemporaryFolder folder;
  write_mistakes(folder / "mistakes.json", six());
  EXPECT_EQ(read_file(folder / "mistakes.json"), std::string(kSix) + "\n");
  const Mistakes found = read_mistakes(folder / "mistakes.json");
  EXPECT_THAT(found.mistakes,
              ElementsAre(FieldsAre(3, 1, 2, 0.9877), FieldsAre(1, 0, 1, 0.5), FieldsAre(4, 2, 0, 0.5)));
  EXPECT_EQ(to_json(found).dump(), kSix);
}

TEST(Mistakes, SayErrorAndConfusion) {
  EXPECT_THAT(confusion(six()), ElementsAre(ElementsAre(1, 1, 0), ElementsAre(0, 1, 1), ElementsAre(1, 0, 1)));
  EXPECT_THAT(wrong_rows(six()), ElementsAre(1, 3, 4));
  const Classification result = score(six());
  EXPECT_EQ(result.all.images, 6);
  EXPECT_EQ(result.all.wrong, 3);
  EXPECT_EQ(result.classes[1].images, 2);
  EXPECT_EQ(result.classes[1].wrong, 1);
}

TEST(Mistakes, TwoRunsAreComparedOnTheSameImages) {
  Mistakes other = six();
  other.mistakes = {{3, 1, 0, 0.7}, {0, 0, 2, 0.6}};
  const McNemarTest test = mcnemar(six(), other);
  EXPECT_EQ(test.only_first_wrong, 2);   // 1 and 4
  EXPECT_EQ(test.only_second_wrong, 1);  // 0
  EXPECT_DOUBLE_EQ(test.p_value, 1);
  other.split_digest = "s2";
  mcnemar(six(), other);  // test images are the same whatever the labels
  Mistakes dev = six();
  dev.role = other.role = "dev";
  EXPECT_THAT(error_of([&] { mcnemar(dev, other); }), HasSubstr("are of other images"));
  EXPECT_THAT(error_of([&] { mcnemar(six(), other); }), HasSubstr("6 test images of data d1 and 6 dev of d1"));
  other = six();
  other.data_digest = "d2";
  EXPECT_THAT(error_of([&] { mcnemar(six(), other); }), HasSubstr("are of other images"));
}

TEST(Mistakes, AlteredFilesAreRefused) {
  const auto refusal = [](const char* pointer, const nlohmann::json& value) {
    nlohmann::json json = nlohmann::json::parse(kSix);
    json[nlohmann::json::json_pointer(pointer)] = value;
    return error_of([&] { mistakes_from_json(json, "m.json"); });
  };
  EXPECT_THAT(refusal("/role", "train"), HasSubstr("m.json: the role is \"train\", not test or dev"));
  EXPECT_THAT(refusal("/class_counts", {6}), HasSubstr("1 class counts for 3 names"));
  EXPECT_THAT(refusal("/class_counts/0", 1), HasSubstr("class counts are not those of 6 images"));
  EXPECT_THAT(refusal("/class_counts", {0, 4, 2}), HasSubstr("class counts are not those of 6 images"));
  EXPECT_THAT(refusal("/mistakes/0/0", 6), HasSubstr("row 6 is there twice or is none of 6"));
  EXPECT_THAT(refusal("/mistakes/0/0", 1), HasSubstr("row 1 is there twice"));
  EXPECT_THAT(refusal("/mistakes/0/2", 1), HasSubstr("label 1 and prediction 1 of row 3 are no two of 3 classes"));
  EXPECT_THAT(refusal("/mistakes/0/2", 3), HasSubstr("are no two of 3 classes"));
  EXPECT_THAT(refusal("/mistakes/0/3", 1.5), HasSubstr("the probability of row 3 is 1.5"));
  EXPECT_THAT(refusal("/shown/0", 0), HasSubstr("row 0 is shown and is no mistake"));
  EXPECT_THAT(refusal("/images", "six"), HasSubstr("m.json: not the mistakes of a run"));
  EXPECT_THAT(error_of([] { mistakes_from_json(nlohmann::json::parse("[]"), "m.json"); }),
              HasSubstr("m.json: not the"));
  const TemporaryFolder folder;
  write_file_safely(folder / "mistakes.json", std::string_view(R"({"role": "te)"));
  EXPECT_THAT(error_of([&] { read_mistakes(folder / "mistakes.json"); }), HasSubstr("mistakes.json: not the mistakes"));
}

}  // namespace
}  // namespace frgan
