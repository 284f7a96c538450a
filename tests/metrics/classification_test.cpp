// Intervals and p-values are compared with scipy 1.x: binomtest(h, n).proportion_ci(0.95, 'wilson') and
// binomtest(a, a + b, 0.5).pvalue. Small counts are checked by hand.
#include "frgan/metrics/classification.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

using testing::ElementsAre;

std::string message_of(auto&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(WilsonInterval, EqualsScipy) {
  struct Case {
    int64_t hits, count;
    double low, high;
  };
  for (const Case& c :
       {Case{0, 10, 0.0, 0.27753279986288926}, Case{10, 10, 0.7224672001371109, 1.0},
        Case{1, 10, 0.017876213095072896, 0.4041500267952385}, Case{360, 5000, 0.0651590063175528, 0.07949814654741609},
        Case{843, 5000, 0.15847768231064174, 0.1792311505385421}, Case{0, 1, 0.0, 0.7934506856227626}}) {
    const Interval interval = wilson_interval(c.hits, c.count);
    EXPECT_NEAR(interval.low, c.low, 1e-14) << c.hits << " of " << c.count;
    EXPECT_NEAR(interval.high, c.high, 1e-14) << c.hits << " of " << c.count;
  }
}

TEST(WilsonInterval, IsZeroToOneForNoImages) {
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(ScorePredictions, CountsErrorsPerClassAndConfusion) {
  const std::vector<int64_t> labels{0, 0, 0, 1, 1, 2};
  const std::vector<int64_t> predictions{0, 1, 2, 1, 0, 2};
  const Classification result = score_predictions(labels, predictions, 4);
  EXPECT_EQ(result.all.images, 6);
  EXPECT_EQ(result.all.wrong, 3);
  EXPECT_EQ(result.all.error(), 0.5);
  EXPECT_EQ(result.all.interval().low, wilson_interval(3, 6).low);
  EXPECT_THAT(result.confusion, ElementsAre(ElementsAre(1, 1, 1, 0), ElementsAre(1, 1, 0, 0), ElementsAre(0, 0, 1, 0),
                                            ElementsAre(0, 0, 0, 0)));
  ASSERT_EQ(result.classes.size(), 4U);
  EXPECT_EQ(result.classes[0].images, 3);
  EXPECT_EQ(result.classes[0].wrong, 2);
  EXPECT_EQ(result.classes[1].wrong, 1);
  EXPECT_EQ(result.classes[2].wrong, 0);
  EXPECT_EQ(result.classes[3].images, 0);
  EXPECT_TRUE(std::isnan(result.classes[3].error()));
}

TEST(ScorePredictions, ConvertsToJson) {
  const Classification result = score_predictions(std::vector<int64_t>{0, 0}, std::vector<int64_t>{0, 1}, 2);
  const Json json = to_json(result, {"cat", "dog"});
  EXPECT_EQ(json["images"], 2);
  EXPECT_EQ(json["wrong"], 1);
  EXPECT_EQ(json["error"], 0.5);
  EXPECT_EQ(json["error_low"], wilson_interval(1, 2).low);
  EXPECT_EQ(json["classes"][0]["name"], "cat");
  EXPECT_EQ(json["classes"][0]["error"], 0.5);
  EXPECT_EQ(json["classes"][1]["images"], 0);
  EXPECT_EQ(parse_json(json.dump(), "test")["classes"][1]["error"], nullptr);
  EXPECT_EQ(json["confusion"], (Json{{1, 1}, {0, 0}}));
}

TEST(ScorePredictions, RejectsDifferentLengthsAndInvalidClasses) {
  const std::vector<int64_t> two{0, 1}, three{0, 1, 1}, hidden{0, -1}, large{0, 2};
  EXPECT_EQ(message_of([&] { score_predictions(two, three, 2); }),
            "3 predictions for 2 labels: both must cover the same images");
  EXPECT_EQ(message_of([&] { score_predictions(hidden, two, 2); }), "the label of image 1 is -1: must be 0 to 1");
  EXPECT_EQ(message_of([&] { score_predictions(two, large, 2); }), "the prediction of image 1 is 2: must be 0 to 1");
}

TEST(McNemar, EqualsScipy) {
  EXPECT_NEAR(mcnemar_test(1, 5).p_value, 0.21875, 1e-14);  // 2 (1 + 6) / 2^6
  EXPECT_NEAR(mcnemar_test(6, 8).p_value, 0.79052734375, 1e-13);
  EXPECT_NEAR(mcnemar_test(10, 0).p_value, 0.001953125, 1e-15);  // 2 / 2^10
  EXPECT_NEAR(mcnemar_test(120, 60).p_value, 9.14458588461025e-06, 1e-16);
  EXPECT_NEAR(mcnemar_test(900, 1100).p_value, 8.45708953550381e-06, 1e-15);
  EXPECT_NEAR(mcnemar_test(150, 420).p_value / 1.4231734670520936e-30, 1.0, 1e-9);
}

TEST(McNemar, CountsDiscordantImagesFromErrorLists) {
  const std::vector<int64_t> first = {1, 3, 4, 9}, second = {3, 5, 9};
  const McNemarTest test = mcnemar_test(first, second);
  EXPECT_EQ(test.only_first_wrong, 2);
  EXPECT_EQ(test.only_second_wrong, 1);
}

TEST(McNemar, PValueIsOneForEqualCounts) {
  EXPECT_EQ(mcnemar_test(0, 0).p_value, 1);
  EXPECT_EQ(mcnemar_test(3, 3).p_value, 1);  // the doubled tail exceeds 1
  EXPECT_EQ(mcnemar_test(1000, 1000).p_value, 1);
}

TEST(McNemar, IgnoresImagesThatBothGetRightOrWrong) {
  const std::vector<int64_t> labels{0, 0, 0, 0, 0, 1};
  const std::vector<int64_t> first{0, 1, 1, 1, 0, 2};
  const std::vector<int64_t> second{0, 0, 0, 1, 1, 0};  // both misclassify the last image, differently
  const McNemarTest test = mcnemar_test(labels, first, second);
  EXPECT_EQ(test.only_first_wrong, 2);
  EXPECT_EQ(test.only_second_wrong, 1);
  EXPECT_EQ(test.p_value, 1);
  EXPECT_EQ(message_of([&] { mcnemar_test(labels, first, std::vector<int64_t>{0}); }),
            "1 predictions for 6 labels: both must cover the same images");
}

}  // namespace
}  // namespace frgan
