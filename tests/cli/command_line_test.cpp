#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::internal::CaptureStdout;
using testing::internal::GetCapturedStdout;

class CommandLine : public testing::Test {
 protected:
  CommandLine() {
    options.group("Prediction");
    options.add("top", top, "Classes an image.", Range<int64_t>{1, 10});
    options.add("format", format, "Layout | of the output.", Choices{"csv", "json"});
    options.add("output", output, "File.");
    options.add("probabilities", probabilities, "All of them.");
    options.add("average", average, "The averaged weights.");
    options.add("weights", weights, "A list.");
  }

  std::vector<std::string> read(std::vector<std::string> arguments) {
    return read_arguments(syntax, arguments, options);
  }
  std::string error_of(std::vector<std::string> arguments) {
    try {
      read(std::move(arguments));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "";
  }

  int64_t top = 1;
  std::string format = "csv", output;
  bool probabilities = false, average = true;
  std::vector<std::string> weights = {"a", "b"};
  OptionSet options;
  const Syntax syntax = {"predict", "CHECKPOINT IMAGE...", "Says what is seen.", 1, 3};
};

TEST_F(CommandLine, SetsOptionsAndReturnsWords) {
  EXPECT_THAT(read({"run", "--top", "3", "a.png", "--format=json", "--probabilities", "--no-average", "-"}),
              ElementsAre("run", "a.png", "-"));
  EXPECT_EQ(top, 3);
  EXPECT_EQ(format, "json");
  EXPECT_TRUE(probabilities);
  EXPECT_FALSE(average);
}

TEST_F(CommandLine, TakesValuesOfAllShapes) {
  read({"run", "--output", "-x", "--weights=1,2"});
  EXPECT_EQ(output, "-x");
  EXPECT_THAT(weights, ElementsAre("1", "2"));
  CommandLine::options.find("output", "").set("", "");
  EXPECT_THAT(read({"run", "--output=", "--no-probabilities"}), ElementsAre("run"));
  EXPECT_EQ(output, "") << "an empty value does not take the next argument";
  read({"run", "--output=--top=a=b"});
  EXPECT_EQ(output, "--top=a=b");
  read({"run", "--probabilities=false", "--average=true"});
  EXPECT_FALSE(probabilities);
  EXPECT_TRUE(average);
}

TEST_F(CommandLine, EverythingAfterTwoDashesIsAWord) {
  EXPECT_THAT(read({"run", "--top=2", "--", "--top=3", "--"}), ElementsAre("run", "--top=3", "--"));
  EXPECT_EQ(top, 2);
}

TEST_F(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(error_of({"run", "--tpo", "3"}), "--tpo is no option; did you mean --top?");
  EXPECT_EQ(error_of({"run", "--tpo=3"}), "--tpo is no option; did you mean --top?");
  EXPECT_EQ(error_of({"run", "-top", "3"}), "'-top' is no option: options begin with --; see frgan predict --help");
  EXPECT_EQ(error_of({"run", "---top", "3"}), "---top is no option; did you mean --top?");
  EXPECT_EQ(error_of({"run", "--=3"}), "-- is no option");
  EXPECT_EQ(error_of({"run", "--no-top"}), "--no-top is no option");
}

TEST_F(CommandLine, RefusesWrongValues) {
  EXPECT_EQ(error_of({"run", "--top", "11"}), "--top: got 11, expected a whole number, 1 to 10");
  EXPECT_EQ(error_of({"run", "--top="}), "--top: got '', expected a whole number, 1 to 10");
  EXPECT_EQ(error_of({"run", "--format", "cvs"}), "--format: got 'cvs', expected csv, json; did you mean 'csv'?");
  EXPECT_EQ(error_of({"run", "--probabilities=maybe"}), "--probabilities: got 'maybe', expected true or false");
  EXPECT_EQ(error_of({"run", "--no-average=true"}),
            "--no-average takes no value; write --average=true or --average=false");
}

TEST_F(CommandLine, RefusesMissingAndSecondValues) {
  const std::string needs = "--top needs a value; one that begins with -- is written --top=VALUE";
  EXPECT_EQ(error_of({"run", "--top"}), needs);
  EXPECT_EQ(error_of({"run", "--top", "--format=csv"}), needs);
  EXPECT_EQ(error_of({"run", "--top", "--", "3"}), needs);
  EXPECT_EQ(error_of({"run", "--top", "3", "--top=3"}), "--top is given twice");
  EXPECT_EQ(error_of({"run", "--average", "--no-average"}), "--average is given twice");
}

TEST_F(CommandLine, KnowsOutputByItsShortName) {
  EXPECT_EQ(read({"run", "-o", "file.csv"}), std::vector<std::string>{"run"});
  EXPECT_EQ(output, "file.csv");
  EXPECT_EQ(error_of({"run", "-o", "a", "--output", "b"}), "--output is given twice");
}

TEST_F(CommandLine, CountsWords) {
  EXPECT_EQ(error_of({}), "frgan predict needs CHECKPOINT IMAGE...; see frgan predict --help");
  EXPECT_EQ(error_of({"a", "b", "c", "d"}), "unexpected 'd'; see frgan predict --help");
}

TEST_F(CommandLine, CanBeAskedForOneOptionBefore) {
  const std::vector<std::string> arguments = {"--top", "3", "--format=json", "--output", "--", "--weights=1"};
  EXPECT_EQ(typed_value(arguments, "top"), "3");
  EXPECT_EQ(typed_value(arguments, "format"), "json");
  EXPECT_EQ(typed_value(arguments, "form"), std::nullopt);
  EXPECT_EQ(typed_value(arguments, "output"), std::nullopt);
  EXPECT_EQ(typed_value(arguments, "weights"), std::nullopt);
  EXPECT_TRUE(typed(arguments, "--top"));
  EXPECT_FALSE(typed(arguments, "--weights=1"));
}

TEST_F(CommandLine, HelpNamesEachOptionWithDefaultAndRange) {
  CaptureStdout();
  EXPECT_FALSE(print_help(syntax, std::vector<std::string>{"run", "--", "--help"}, options));
  EXPECT_TRUE(print_help(syntax, std::vector<std::string>{"--nonsense", "--help"}, options));
  EXPECT_EQ(GetCapturedStdout(), R"(Usage: frgan predict CHECKPOINT IMAGE... [OPTIONS]

Says what is seen.

Prediction:
  --top N
      Classes an image. Default: 1; allowed: 1 to 10.
  --format WORD
      Layout | of the output. Default: csv; allowed: csv, json.
  -o, --output TEXT
      File.
  --[no-]probabilities
      All of them. Default: false.
  --[no-]average
      The averaged weights. Default: true.
  --weights A,B,...
      A list. Default: a,b.

  --help
      This text.
)");
}

TEST_F(CommandLine, MarkdownIsATable) {
  EXPECT_THAT(markdown_text(options, 3), HasSubstr(R"(
### Prediction

| option | default | allowed | meaning |
|---|---|---|---|
| `--top` | `1` | 1 to 10 | Classes an image. |
| `--format` | `csv` | csv, json | Layout \| of the output. |
| `--output` |  |  | File. |
)"));
}

}  // namespace
}  // namespace frgan
