#include "frgan/core/options.h"

#include <cmath>
#include <map>
#include <stdexcept>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

using testing::ElementsAre;

struct Fields {
  bool dry = false;
  int64_t labels = 1000;
  int64_t seed = 0;
  double weight = 1.0;
  double shift = 0.5;
  std::string loss = "nonsaturating";
  std::string folder = "runs";
  std::vector<std::string> augmentation = {"translate:2"};
};

class Options : public testing::Test {
 protected:
  Options() {
    set.group("Data");
    set.add("dry", fields.dry, "A boolean.");
    set.add("labels", fields.labels, "Labeled images.", Range<int64_t>{1, 100'000});
    set.add("seed", fields.seed, "Any integer.");
    set.group("Losses");
    set.add("weight", fields.weight, "A weight.", Range<double>{0, 10});
    set.add("shift", fields.shift, "Any number.");
    set.add("loss", fields.loss, "A loss.", Choices{"nonsaturating", "saturating", "feature_matching"});
    set.add("folder", fields.folder, "Any text.");
    set.add("augmentation", fields.augmentation, "A list.");
  }

  void type(const std::string& name, std::string_view text) { set.find(name, "--" + name).set_text(text, "--" + name); }

  // The message of the usage error for `--name text`; empty if there is no error.
  std::string error_of(const std::string& name, std::string_view text) {
    return error_in([&] { type(name, text); });
  }
  // The same for a value in a config file.
  std::string error_of_value(const std::string& name, const Json& value) {
    return error_in([&] { set.find(name, "my.toml:3:1").set(value, "my.toml:3:1"); });
  }
  template <class Action>
  static std::string error_in(const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }

  Fields fields;
  OptionSet set;
};

TEST_F(Options, KeepTheirDefaultsAndOrder) {
  EXPECT_EQ(set.values().dump(),
            R"({"dry":false,"labels":1000,"seed":0,"weight":1.0,"shift":0.5,"loss":"nonsaturating","folder":"runs",)"
            R"("augmentation":["translate:2"]})");
  type("labels", "7");
  EXPECT_EQ(set.all()[1].initial, 1000);
  EXPECT_TRUE(set.all()[1].given);
  EXPECT_FALSE(set.all()[2].given);
}

TEST_F(Options, AreGroupedByHeading) {
  set.group("Data");
  int64_t late = 0;
  set.add("late", late, "Declared after another group.");
  std::string text;
  for (const auto& [group, options] : set.groups()) {
    text += group + ":";
    for (const Option* option : options) text += " " + option->name;
    text += "\n";
  }
  EXPECT_EQ(text, "Data: dry labels seed late\nLosses: weight shift loss folder augmentation\n");
}

TEST_F(Options, ReadBooleans) {
  type("dry", "true");
  EXPECT_TRUE(fields.dry);
  type("dry", "false");
  EXPECT_FALSE(fields.dry);
  EXPECT_EQ(error_of("dry", "1"), "invalid --dry '1': must be true or false");
  EXPECT_EQ(error_of("dry", "TRUE"), "invalid --dry 'TRUE': must be true or false");
  EXPECT_EQ(error_of("dry", ""), "invalid --dry '': must be true or false");
  EXPECT_EQ(error_of_value("dry", 1), "my.toml:3:1: invalid dry 1: must be true or false");
}

TEST_F(Options, ReadIntegersUpToTheirLimits) {
  type("labels", "1");
  EXPECT_EQ(fields.labels, 1);
  type("labels", "100000");
  EXPECT_EQ(fields.labels, 100'000);
  EXPECT_EQ(error_of("labels", "0"), "invalid --labels 0: must be a whole number, 1 to 100000");
  EXPECT_EQ(error_of("labels", "100001"), "invalid --labels 100001: must be a whole number, 1 to 100000");
  EXPECT_EQ(fields.labels, 100'000) << "a rejected value must not be stored";
  type("seed", "-9223372036854775808");
  EXPECT_EQ(fields.seed, INT64_MIN);
  type("seed", "9223372036854775807");
  EXPECT_EQ(fields.seed, INT64_MAX);
  EXPECT_EQ(error_of("seed", "9223372036854775808"), "invalid --seed '9223372036854775808': must be a whole number");
}

TEST_F(Options, IntegersAreDecimalDigits) {
  type("labels", "010");
  EXPECT_EQ(fields.labels, 10);
  for (const char* text : {"", " 5", "5 ", "+5", "0x10", "1e3", "5.0", "2.5", "5k", "1_000", "1,000", "five", "--5"}) {
    EXPECT_EQ(error_of("labels", text),
              fmt::format("invalid --labels '{}': must be a whole number, 1 to 100000", text));
  }
}

TEST_F(Options, IntegersInFilesHaveNoFraction) {
  EXPECT_EQ(error_of_value("labels", 10), "");
  EXPECT_EQ(error_of_value("labels", 10.0), "my.toml:3:1: invalid labels 10.0: must be a whole number, 1 to 100000");
  EXPECT_EQ(error_of_value("labels", 2.5), "my.toml:3:1: invalid labels 2.5: must be a whole number, 1 to 100000");
  EXPECT_EQ(error_of_value("labels", "10"), "my.toml:3:1: invalid labels '10': must be a whole number, 1 to 100000");
  EXPECT_EQ(error_of_value("labels", true), "my.toml:3:1: invalid labels true: must be a whole number, 1 to 100000");
  EXPECT_EQ(error_of_value("seed", uint64_t{1} << 63),
            "my.toml:3:1: invalid seed 9223372036854775808: must be a whole number");
}

TEST_F(Options, ReadNumbersUpToTheirLimits) {
  for (const auto& [text, value] : std::map<std::string, double>{
           {"0", 0}, {"10", 10}, {"1e-3", 1e-3}, {"2.5E0", 2.5}, {".5", 0.5}, {"3e-04", 3e-4}, {"1e-300", 1e-300}}) {
    type("weight", text);
    EXPECT_EQ(fields.weight, value) << text;
  }
  EXPECT_EQ(error_of("weight", "-0.001"), "invalid --weight -0.001: must be a finite number, 0 to 10");
  EXPECT_EQ(error_of("weight", "10.001"), "invalid --weight 10.001: must be a finite number, 0 to 10");
  type("shift", "-1.7976931348623157e308");
  EXPECT_EQ(fields.shift, std::numeric_limits<double>::lowest());
  EXPECT_EQ(error_of_value("weight", 3), "") << "an integer is a valid real number";
  EXPECT_EQ(fields.weight, 3);
}

TEST_F(Options, RejectNonFiniteNumbers) {
  EXPECT_EQ(error_of("shift", "nan"), "invalid --shift nan: must be a finite number");
  EXPECT_EQ(error_of("shift", "inf"), "invalid --shift inf: must be a finite number");
  EXPECT_EQ(error_of("weight", "-inf"), "invalid --weight -inf: must be a finite number, 0 to 10");
  EXPECT_EQ(error_of("shift", "1e999"), "invalid --shift '1e999': must be a finite number");
  EXPECT_EQ(error_of_value("shift", std::nan("")), "my.toml:3:1: invalid shift nan: must be a finite number");
  for (const char* text : {"", "1,5", "0x1p3", "1e", "one", "1 ", "1f"}) {
    EXPECT_EQ(error_of("shift", text), fmt::format("invalid --shift '{}': must be a finite number", text));
  }
}

TEST_F(Options, ReadChoices) {
  type("loss", "saturating");
  EXPECT_EQ(fields.loss, "saturating");
  EXPECT_EQ(
      error_of("loss", "feature-matching"),
      "invalid --loss 'feature-matching': must be one of nonsaturating, saturating, feature_matching; did you mean "
      "'feature_matching'?");
  EXPECT_EQ(error_of("loss", ""), "invalid --loss '': must be one of nonsaturating, saturating, feature_matching");
  EXPECT_EQ(error_of_value("loss", 3),
            "my.toml:3:1: invalid loss 3: must be one of nonsaturating, saturating, feature_matching");
}

TEST_F(Options, ReadStrings) {
  type("folder", "r\u00fcns/a b");
  EXPECT_EQ(fields.folder, "r\u00fcns/a b");
  type("folder", "");
  EXPECT_EQ(fields.folder, "");
  EXPECT_EQ(error_of("folder", "a\nb"), R"(invalid --folder 'a\nb': must be UTF-8 text without control characters)");
  EXPECT_EQ(error_of("folder", "a\x7f"), "invalid --folder 'a\\x7f': must be UTF-8 text without control characters");
  EXPECT_EQ(error_of("folder", "a\xff"), "invalid --folder 'a\ufffd': must be UTF-8 text without control characters");
  EXPECT_EQ(error_of_value("folder", false), "my.toml:3:1: invalid folder false: must be a text");
}

TEST_F(Options, ReadLists) {
  type("augmentation", "translate:2,noise:0.15");
  EXPECT_THAT(fields.augmentation, ElementsAre("translate:2", "noise:0.15"));
  type("augmentation", "");
  EXPECT_THAT(fields.augmentation, ElementsAre());
  EXPECT_EQ(error_of_value("augmentation", Json{"flip"}), "");
  EXPECT_THAT(fields.augmentation, ElementsAre("flip"));
  const std::string expected = ": must be a list of non-empty texts";
  EXPECT_EQ(error_of("augmentation", "a,,b"), "invalid --augmentation [\"a\",\"\",\"b\"]" + expected);
  EXPECT_EQ(error_of("augmentation", "a,"), "invalid --augmentation [\"a\",\"\"]" + expected);
  EXPECT_EQ(error_of_value("augmentation", "flip"), "my.toml:3:1: invalid augmentation 'flip'" + expected);
  EXPECT_EQ(error_of_value("augmentation", Json{"a", 1}), "my.toml:3:1: invalid augmentation [\"a\",1]" + expected);
}

TEST_F(Options, LongValuesAreTruncatedInMessages) {
  const std::string message = error_of("labels", std::string(1000, '7'));
  EXPECT_LT(message.size(), 160u);
  EXPECT_THAT(message, testing::HasSubstr("777...: must be a whole number"));
}

TEST_F(Options, DescribeTheAllowedValues) {
  std::vector<std::string> allowed;
  for (const Option& option : set.all()) allowed.push_back(option.allowed());
  EXPECT_THAT(allowed, ElementsAre("true, false", "1 to 100000", "", "0 to 10", "",
                                   "nonsaturating, saturating, feature_matching", "", ""));
  OptionSet half_open;
  half_open.add("low", fields.seed, "", Range<int64_t>{.low = 0});
  half_open.add("high", fields.shift, "", Range<double>{.high = 1.5});
  EXPECT_EQ(half_open.all()[0].allowed(), "0 or more");
  EXPECT_EQ(half_open.all()[1].allowed(), "at most 1.5");
}

TEST_F(Options, UnknownNamesSuggestTheNearest) {
  EXPECT_TRUE(set.contains("labels"));
  EXPECT_FALSE(set.contains("lables"));
  EXPECT_EQ(error_of("lables", "5"), "unknown option --lables; did you mean --labels?");
  EXPECT_EQ(error_of("augment", "x"), "unknown option --augment; did you mean --augmentation?");
  EXPECT_EQ(error_of("zzz", "5"), "unknown option --zzz");
  EXPECT_EQ(error_in([&] { set.find("fodler", "my.toml:3:1"); }),
            "my.toml:3:1: unknown option 'fodler'; did you mean folder?");
}

TEST_F(Options, OptionsOfOtherMethodsNameTheirOwner) {
  OptionSet fr_gan, ali;
  double gen_weight = 1, se_reduction = 16, labels = 0;
  fr_gan.add("gen-weight", gen_weight, "");
  fr_gan.add("se-reduction", se_reduction, "");
  fr_gan.add("labels", labels, "");
  ali.add("gen-weight", gen_weight, "");
  set.mention(fr_gan, "method fr-gan");
  set.mention(ali, "method ali");
  EXPECT_EQ(
      error_of("se-reduction", "8"),
      "option --se-reduction belongs to method fr-gan, which this run does not use; remove it, or change --method");
  EXPECT_EQ(error_in([&] { set.find("gen-weight", "my.toml:3:1"); }),
            "my.toml:3:1: option 'gen-weight' belongs to method fr-gan and method ali, which this run does not use; "
            "remove it, or change --method");
  EXPECT_EQ(error_of("labels", "5"), "") << "an option of this run takes precedence";
}

TEST_F(Options, RoundTripThroughJson) {
  type("labels", "7");
  type("weight", "0.1");
  type("augmentation", "");
  const Json values = set.values();
  fields = Fields{};
  set.set_values(parse_json(values.dump(), "test"), "run.json");
  EXPECT_EQ(set.values(), values);
  EXPECT_EQ(fields.weight, 0.1);
  EXPECT_EQ(error_in([&] {
              set.set_values({{"lables", 5}}, "run.json");
            }),
            "run.json: unknown option 'lables'; did you mean labels?");
  EXPECT_EQ(error_in([&] {
              set.set_values({{"labels", 0}}, "run.json");
            }),
            "run.json: invalid labels 0: must be a whole number, 1 to 100000");
  EXPECT_EQ(error_in([&] { set.set_values(Json::array({1}), "run.json"); }),
            "run.json: expected an object of options, got [1]");
}

TEST_F(Options, CommandLineOnlyOptionsAreNotSaved) {
  std::string config;
  set.group("This call", /*saved=*/false);
  set.add("config", config, "A file.");
  EXPECT_FALSE(set.values().contains("config"));
  EXPECT_EQ(error_in([&] { set.set("config", "a.toml", "my.toml:3:1"); }),
            "my.toml:3:1: option 'config' is allowed on the command line only, as --config");
  type("config", "b.toml");
  EXPECT_EQ(config, "b.toml");
}

TEST_F(Options, InvalidDeclarationsThrowLogicErrors) {
  EXPECT_THROW(set.add("labels", fields.seed, "Again."), std::logic_error);
  fields.seed = 5;
  EXPECT_THROW(set.add("small", fields.seed, "The default is too large.", Range<int64_t>{0, 4}), std::logic_error);
  EXPECT_THROW(set.add("mode", fields.folder, "The default is not among the choices.", Choices{"a", "b"}),
               std::logic_error);
}

TEST_F(Options, ErrorsNameTheLineThatSetAnOption) {
  const auto message = [&](const std::string& text) { return std::string(with_source(usage_error(text), set).what()); };
  set.set("labels", 500, "preset fast:3:1");
  set.find("seed", "--seed").set(7, "--seed");
  EXPECT_EQ(message("--labels 500: pets has 120"), "--labels 500 (set by preset fast): pets has 120");
  EXPECT_EQ(message("--seed 7: is odd"), "--seed 7: is odd") << "typed on the command line";
  EXPECT_EQ(message("--shift 0.5: is a default"), "--shift 0.5: is a default");
  EXPECT_EQ(message("pets: --labels 500 is too much"), "pets: --labels 500 is too much");
  EXPECT_EQ(message("--labelsx"), "--labelsx");
  EXPECT_EQ(with_source(usage_error("--labels 500: x"), set).kind(), ErrorKind::kUsage);
}

TEST(NearestName, CountsEdits) {
  const std::vector<std::string> known = {"labels", "label-mode", "batch-size", "beta1", "beta2", "width"};
  EXPECT_EQ(nearest_name("label", known), "labels");
  EXPECT_EQ(nearest_name("lable-mode", known), "label-mode") << "a transposition is one edit";
  EXPECT_EQ(nearest_name("batch_size", known), "batch-size");
  EXPECT_EQ(nearest_name("bacthsize", known), "batch-size");
  EXPECT_EQ(nearest_name("beta3", known), "beta1") << "ties go to the first name";
  EXPECT_EQ(nearest_name("batch", known), "batch-size") << "a prefix";
  EXPECT_EQ(nearest_name("epochs", known), "");
  EXPECT_EQ(nearest_name("", known), "");
  EXPECT_EQ(nearest_name("labels", {}), "");
  EXPECT_EQ(nearest_hint("widht", known), "; did you mean 'width'?");
  EXPECT_EQ(nearest_hint("epochs", known), "");
}

}  // namespace
}  // namespace frgan
