#include "frgan/settings/config_file.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

std::string error_of(std::string_view text) {
  try {
    read_config(text, "my.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(ConfigFile, ReturnsSettingsInOrderWithLineAndColumn) {
  const std::vector<Setting> settings = read_config(R"(# a comment
width = 0.5
  batch-size = 1_000  # another
method = "fr # gan"
se-bias = true
branch-aug = [
  "flip",
  "noise:0.15",
]
)",
                                                    "my.toml");
  ASSERT_EQ(settings.size(), 5u);
  EXPECT_EQ(settings[0].name, "width");
  EXPECT_EQ(settings[0].value, Json(0.5));
  EXPECT_EQ(settings[0].source, "my.toml:2:1");
  EXPECT_EQ(settings[1].value, Json(1000));
  EXPECT_EQ(settings[1].source, "my.toml:3:3");
  EXPECT_EQ(settings[2].value, Json("fr # gan"));
  EXPECT_EQ(settings[3].value, Json(true));
  EXPECT_EQ(settings[4].value, (Json{"flip", "noise:0.15"}));
  EXPECT_TRUE(read_config("", "my.toml").empty());
}

TEST(ConfigFile, ReportsPositionOfSyntaxErrors) {
  EXPECT_THAT(error_of("width = 1\nwidth = 2\n"), testing::StartsWith("my.toml:2:"));
  EXPECT_THAT(error_of("labels = 010\n"),
              testing::AllOf(testing::StartsWith("my.toml:1:"), testing::HasSubstr("leading zeroes are prohibited")));
  EXPECT_THAT(error_of("method = \"fr-gan\n"), testing::StartsWith("my.toml:"));
  EXPECT_THAT(error_of("method = fr-gan\n"), testing::StartsWith("my.toml:1:"));
  EXPECT_THAT(error_of("seed = 9223372036854775808\n"), testing::StartsWith("my.toml:1:"));
  EXPECT_THAT(error_of("folder = \"\xff\"\n"), testing::StartsWith("my.toml:1:"));
  for (const char* text : {"width = 1\nwidth = 2\n", "a = \"\n", "= 3", "\xff\xfe", "a = [1,"}) {
    EXPECT_THAT(error_of(text), testing::Not(testing::HasSubstr("\n"))) << text;
  }
}

// Found by the fuzzer: on these inputs toml++ fails an assertion or reaches code that it declares unreachable.
TEST(ConfigFile, RejectsInputsThatCrashTomlParser) {
  EXPECT_THAT(error_of(std::string_view("seed = 1\n[\0", 11)), testing::StartsWith("my.toml:2:"));
  for (const char* text : {"[%", "word =[}", "ff\xef\xbb\x80 = 1", "a = Größe", "words = +\"tra\xef\xbb\x9f\""}) {
    EXPECT_THAT(error_of(text), testing::StartsWith("my.toml:1:")) << text;
  }
  EXPECT_EQ(read_config("# Größe\ndata = \"Größe\" # é\nrun = 'Größe'", "my.toml").size(), 2u);
}

TEST(ConfigFile, LimitsDepth) {
  const auto repeated = [](const std::string& text, int count) {
    std::string result;
    for (int i = 0; i < count; ++i) result += text;
    return result;
  };
  const auto table_error_of = [](const std::string& text) {
    try {
      read_toml(text, "my.toml");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(table_error_of("a = " + repeated("[", 16) + repeated("]", 16)), "");
  constexpr int kDeep = 200'000;
  EXPECT_THAT(error_of("a = " + repeated("[", kDeep)), testing::HasSubstr("exceeded maximum nested value depth of 16"));
  EXPECT_THAT(table_error_of("a = " + repeated("{a = ", kDeep)), testing::HasSubstr("nested value depth of 16"));
  for (const char* part : {"a.", "a . ", "\"a\".", "'a'."}) {
    EXPECT_EQ(error_of("x = 1\n" + repeated(part, kDeep) + "a = 1\n"),
              "my.toml:2: more than 100 dots in one line; split the line");
    EXPECT_THAT(error_of("[" + repeated(part, kDeep) + "a]\n"), testing::StartsWith("my.toml:1: more than 100 dots"));
  }
  EXPECT_EQ(table_error_of(repeated("a.", 30) + "a = 1\n"), "");
  EXPECT_EQ(table_error_of(repeated("a.", 100) + "a = 1\n"), "my.toml: nested more than 64 levels deep");
}

// Quadratic time would take minutes.
TEST(ReadToml, ReadsManyKeys) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "key" + std::to_string(i) + " = 1\n";
  EXPECT_EQ(read_toml(text, "my.toml").size(), 50'000U);
}

TEST(ReadToml, RejectsAnOptionUnderTwoNames) {
  try {
    read_toml("[settings]\ndev-images = 1\ndev-pictures = 2\n", "my.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "my.toml: 'dev-images' occurs twice, also under its old name; remove one");
  }
}

TEST(ConfigFile, RejectsTablesAndDates) {
  EXPECT_EQ(error_of("[fr-gan]\nwidth = 1\n"),
            "my.toml:1:2: a [heading] or {table} is not allowed here; write NAME = VALUE lines");
  EXPECT_EQ(error_of("a.b = 1\n"), "my.toml:1:1: a [heading] or {table} is not allowed here; write NAME = VALUE lines");
  EXPECT_EQ(error_of("x = 1\ny = [{a = 1}]\n"),
            "my.toml:2:1: a [heading] or {table} is not allowed here; write NAME = VALUE lines");
  EXPECT_EQ(error_of("start = 2026-01-01\n"), "my.toml:1:1: dates and times are not option values; put text in quotes");
}

struct Fields {
  bool flag = true;
  int64_t whole = 3;
  double number = 1;
  std::string text = "a";
  std::vector<std::string> list;
  std::string config = "other.toml";
};

void describe(OptionSet& options, Fields& fields) {
  options.group("One");
  options.add("flag", fields.flag, "");
  options.add("whole", fields.whole, "");
  options.group("This call", false);
  options.add("config", fields.config, "");
  options.group("Two");
  options.add("number", fields.number, "");
  options.add("text", fields.text, "");
  options.add("list", fields.list, "");
}

TEST(ConfigFile, WritesOptionsByGroup) {
  Fields fields;
  OptionSet options;
  describe(options, fields);
  EXPECT_EQ(config_text(options), "# One\nflag = true\nwhole = 3\n\n# Two\nnumber = 1.0\ntext = \"a\"\nlist = []\n");
}

TEST(ConfigFile, RoundTripsAllValues) {
  for (const double number : {1e-8, 0.1, 1.0 / 3, -2.5e300, std::numeric_limits<double>::denorm_min(), 1e22, -0.0}) {
    Fields fields = {false, INT64_MIN, number, R"(a "quoted" \ ü😀 'b' # c)", {"x", "\"", "tab less"}, "mine"};
    OptionSet options;
    describe(options, fields);
    const std::string written = config_text(options);
    fields = Fields{};
    for (const Setting& setting : read_config(written, "my.toml")) {
      options.set(setting.name, setting.value, setting.source);
    }
    EXPECT_EQ(fields.flag, false);
    EXPECT_EQ(fields.whole, INT64_MIN);
    EXPECT_EQ(fields.number, number);
    EXPECT_EQ(fields.text, R"(a "quoted" \ ü😀 'b' # c)");
    EXPECT_EQ(fields.list, (std::vector<std::string>{"x", "\"", "tab less"}));
    EXPECT_EQ(fields.config, "other.toml");
    EXPECT_EQ(config_text(options), written);
  }
}

TEST(ConfigFile, ReadsPolicies) {
  const std::vector<Setting> settings =
      read_config("labels = 10\n[policies]\nmine = [\"translate:4\", \"flip\"]\nother = [\"none\"]\n", "my.toml");
  ASSERT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings[1].name, "policies");
  EXPECT_EQ(settings[1].value, (Json{"mine=translate:4+flip", "other=none"}));
  EXPECT_EQ(read_config("policies = [\"a=flip\"]", "my.toml")[0].value, (Json{"a=flip"}));
  for (const char* text : {"[policies]\nmine = 3", "[policies]\nmine = [3]", "[policies]\nmine = []",
                           "[policies]\nmine = [\"flip+none\"]"}) {
    EXPECT_THAT(error_of(text), testing::HasSubstr("invalid policy \"mine\"; write a list of words")) << text;
  }
}

}  // namespace
}  // namespace frgan
