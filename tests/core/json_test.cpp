#include "frgan/core/json.h"

#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/old_names.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string json_error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const JsonError& error) {
    return error.what();
  }
  return "";
}

TEST(JsonValue, PrintsObjectsInOrderOfInsertion) {
  Json json = {{"step", 50}, {"losses", {{"supervised", 0.5}, {"fake", 1.0}}}, {"rows", {1, 2}}, {"none", nullptr}};
  json["seconds"] = 12.0;
  json["a"]["b"] = true;
  EXPECT_EQ(
      json.dump(),
      R"({"step":50,"losses":{"supervised":0.5,"fake":1.0},"rows":[1,2],"none":null,"seconds":12.0,"a":{"b":true}})");
  EXPECT_EQ(Json::array().dump(), "[]");
  EXPECT_EQ(Json::object().dump(1), "{}");
  EXPECT_EQ((Json{{"a", 1}}).dump(2), "{\n  \"a\": 1\n}");
}

TEST(JsonValue, PrintsAnyNumberAndText) {
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(Json(uint64_t{1} << 63).dump(), "9223372036854775808");
  EXPECT_EQ(Json(INT64_MIN).dump(), "-9223372036854775808");
  EXPECT_EQ(Json(1.0 / 3).dump(), "0.3333333333333333");
  EXPECT_EQ(Json("a\"\n\xff").dump(), "\"a\\\"\\n\ufffd\"");
}

TEST(JsonValue, ConvertsLists) {
  const std::vector<std::pair<int64_t, double>> pairs{{1, 0.5}, {2, 1}};
  const Json json = {{"pairs", pairs}, {"map", std::map<std::string, int64_t>{{"b", 2}, {"a", 1}}}};
  EXPECT_EQ(json.dump(), R"({"pairs":[[1,0.5],[2,1.0]],"map":{"a":1,"b":2}})");
  EXPECT_EQ((json.at("pairs").get<std::vector<std::pair<int64_t, double>>>()), pairs);
  EXPECT_THAT((json.at("map").get<std::map<std::string, int64_t>>()), ElementsAre(Pair("a", 1), Pair("b", 2)));
}

TEST(JsonValue, ReadsOnlyTheRightType) {
  const Json json = {{"whole", 3}, {"number", 2.5}, {"text", "x"}, {"large", uint64_t{1} << 63}};
  EXPECT_EQ(json.at("whole").get<double>(), 3);
  EXPECT_EQ(json_error_of([&] { json.at("number").get<int64_t>(); }), "2.5 is not a whole number");
  EXPECT_EQ(json_error_of([&] { json.at("text").get<double>(); }), "\"x\" is not a number");
  EXPECT_EQ(json_error_of([&] { json.at("whole").get<std::string>(); }), "3 is not a text");
  EXPECT_EQ(json_error_of([&] { json.at("large").get<int64_t>(); }), "9223372036854775808 is not a whole number");
  EXPECT_EQ(json_error_of([&] { json.at("absent"); }), "key 'absent' is missing");
  EXPECT_EQ(json_error_of([&] { json.at("whole").at("x"); }), "3 is not an object");
  EXPECT_EQ(json_error_of([&] { Json({1, 2}).at(2); }), "a list of 2 values has no value 2");
  EXPECT_EQ(json_error_of([] { Json(300).get<int8_t>(); }), "300 is not a whole number from -128 to 127");
  EXPECT_EQ(json.value("absent", int64_t{7}), 7);
  EXPECT_EQ(json.value("text", "y"), "x");
}

TEST(JsonValue, ComparesNumbersByValueAndObjectsWithoutOrder) {
  EXPECT_EQ(Json(1), Json(1.0));
  EXPECT_EQ((Json{{"a", 1}, {"b", 2}}), (Json{{"b", 2}, {"a", 1}}));
  EXPECT_NE((Json{{"a", 1}}), (Json{{"a", 1}, {"b", 2}}));
  EXPECT_NE(Json("1"), Json(1));
}

TEST(ParseJson, RoundTrips) {
  const std::string text = R"({"a":[1,-2,0.5,"x",true,null,[],{}],"b":18446744073709551615})";
  EXPECT_EQ(parse_json(text, "f").dump(), text);
}

TEST(ParseJson, RejectsInvalidText) {
  for (const char* text : {"", "{", "[1,]", "nan", "'a'", "{} x", "\"\xff\"", "[1 2]"}) {
    EXPECT_THAT(json_error_of([&] { parse_json(text, "run.json"); }), HasSubstr("run.json: not JSON, or truncated"))
        << text;
  }
  EXPECT_THAT(json_error_of([] { parse_json(R"({"a":1,"a":2})", "f"); }), HasSubstr("key \"a\" occurs twice"));
  EXPECT_THAT(json_error_of([] { parse_json("{\"a\\n\":1,\"a\\n\":2}", "f"); }),
              HasSubstr("key \"a\\n\" occurs twice"));
}

TEST(ParseJson, LimitsDepth) {
  EXPECT_EQ(parse_json(std::string(64, '[') + std::string(64, ']'), "f").size(), 1U);
  EXPECT_THAT(json_error_of([] { parse_json(std::string(200'000, '['), "f"); }), HasSubstr("more than 64 levels"));
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(json_error_of([&] { parse_json(objects, "f"); }), HasSubstr("more than 64 levels"));
}

TEST(ParseJson, LimitsTheNumberOfValues) {
  const char* const text = R"({"a": [1, 2], "b": {}})";
  EXPECT_EQ(parse_json(text, "f", OldNames::kKeep, 5).size(), 2U);
  EXPECT_THAT(json_error_of([&] { parse_json(text, "f", OldNames::kKeep, 4); }),
              HasSubstr("f: not JSON, or truncated: more than 4 values"));
}

TEST(ParseJson, ReadingAndPrintingTakeLinearTimeInTheNumberOfKeys) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "\"k" + std::to_string(i) + "\":{},";
  text += "\"last\":1}";
  const Json json = parse_json(text, "f");
  EXPECT_EQ(json.size(), 200'001U);
  EXPECT_EQ(json.dump(), text);
}

TEST(ParseJson, ReplacesOldNamesOfKeys) {
  const char* const text = R"({"pictures":3,"options":{"dev-pictures":1},"hash":"pictures"})";
  EXPECT_EQ(parse_json(text, "f").dump(), R"({"images":3,"options":{"dev-images":1},"digest":"pictures"})");
  EXPECT_EQ(parse_json(text, "f", OldNames::kKeep).dump(), text);
}

TEST(OldNamesTable, IsUnambiguous) {
  for (const OldName& row : kOldNames) {
    EXPECT_EQ(current_name(row.old_name), row.name);
    EXPECT_EQ(current_name(row.name), row.name) << "a current name must not be an old one";
  }
  EXPECT_EQ(first_name("dev-images"), "dev-pictures");
  EXPECT_EQ(first_name("width"), "width");
}

TEST(IsUtf8, RejectsInvalidBytes) {
  EXPECT_TRUE(is_utf8("Größe"));
  EXPECT_FALSE(is_utf8("\xff"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
}

}  // namespace
}  // namespace frgan
