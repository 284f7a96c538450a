#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/help.h"
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
    options.add("top", top, "Number of classes to print.", Range<int64_t>{1, 10, "classes"});
    options.add("format", format, "Output format | layout.", Choices{"csv", "json"});
    options.add("output", output, "Output file.");
    options.add("probabilities", probabilities, "Print all probabilities.");
    options.add("average", average, "Use the averaged weights.");
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
  const Syntax syntax = {"predict", "CHECKPOINT IMAGE...", "Classifies images.", 1, 3};
};

TEST_F(CommandLine, SetsOptionsAndReturnsPositionalArguments) {
  EXPECT_THAT(read({"run", "--top", "3", "a.png", "--format=json", "--probabilities", "--no-average", "-"}),
              ElementsAre("run", "a.png", "-"));
  EXPECT_EQ(top, 3);
  EXPECT_EQ(format, "json");
  EXPECT_TRUE(probabilities);
  EXPECT_FALSE(average);
}

TEST_F(CommandLine, AcceptsAllValueSyntaxes) {
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

TEST_F(CommandLine, DoubleDashEndsOptions) {
  EXPECT_THAT(read({"run", "--top=2", "--", "--top=3", "--"}), ElementsAre("run", "--top=3", "--"));
  EXPECT_EQ(top, 2);
}

TEST_F(CommandLine, RejectsUnknownOptions) {
  EXPECT_EQ(error_of({"run", "--tpo", "3"}), "unknown option --tpo; did you mean --top?");
  EXPECT_EQ(error_of({"run", "--tpo=3"}), "unknown option --tpo; did you mean --top?");
  EXPECT_EQ(error_of({"run", "-top", "3"}), "unknown option '-top': options begin with --; see frgan predict --help");
  EXPECT_EQ(error_of({"run", "---top", "3"}), "unknown option ---top; did you mean --top?");
  EXPECT_EQ(error_of({"run", "--=3"}), "unknown option --");
  EXPECT_EQ(error_of({"run", "--no-top"}), "unknown option --no-top");
}

TEST_F(CommandLine, RejectsInvalidValues) {
  EXPECT_EQ(error_of({"run", "--top", "11"}), "invalid --top 11: must be a whole number, 1 to 10");
  EXPECT_EQ(error_of({"run", "--top="}), "invalid --top '': must be a whole number, 1 to 10");
  EXPECT_EQ(error_of({"run", "--format", "cvs"}),
            "invalid --format 'cvs': must be one of csv, json; did you mean 'csv'?");
  EXPECT_EQ(error_of({"run", "--probabilities=maybe"}), "invalid --probabilities 'maybe': must be true or false");
  EXPECT_EQ(error_of({"run", "--no-average=true"}),
            "--no-average takes no value; write --average=true or --average=false");
}

TEST_F(CommandLine, RejectsMissingAndDuplicateValues) {
  const std::string needs = "option --top needs a value; write --top=VALUE if the value begins with --";
  EXPECT_EQ(error_of({"run", "--top"}), needs);
  EXPECT_EQ(error_of({"run", "--top", "--format=csv"}), needs);
  EXPECT_EQ(error_of({"run", "--top", "--", "3"}), needs);
  EXPECT_EQ(error_of({"run", "--top", "3", "--top=3"}), "option --top is given twice");
  EXPECT_EQ(error_of({"run", "--average", "--no-average"}), "option --average is given twice");
}

TEST_F(CommandLine, AcceptsShortNameOfOutput) {
  EXPECT_EQ(read({"run", "-o", "file.csv"}), std::vector<std::string>{"run"});
  EXPECT_EQ(output, "file.csv");
  EXPECT_EQ(error_of({"run", "-o", "a", "--output", "b"}), "option --output is given twice");
}

TEST_F(CommandLine, ChecksNumberOfPositionalArguments) {
  EXPECT_EQ(error_of({}), "missing argument; usage: frgan predict CHECKPOINT IMAGE...; see frgan predict --help");
  EXPECT_EQ(error_of({"a", "b", "c", "d"}), "unexpected argument 'd'; see frgan predict --help");
}

TEST_F(CommandLine, TypedValueFindsSingleOption) {
  const std::vector<std::string> arguments = {"--top", "3", "--format=json", "--output", "--", "--weights=1"};
  EXPECT_EQ(typed_value(arguments, "top"), "3");
  EXPECT_EQ(typed_value(arguments, "format"), "json");
  EXPECT_EQ(typed_value(arguments, "form"), std::nullopt);
  EXPECT_EQ(typed_value(arguments, "output"), std::nullopt);
  EXPECT_EQ(typed_value(arguments, "weights"), std::nullopt);
  EXPECT_TRUE(typed(arguments, "--top"));
  EXPECT_FALSE(typed(arguments, "--weights=1"));
}

TEST_F(CommandLine, ListsEscapeCommas) {
  read({"run", R"(--weights=a\,b,c)"});
  EXPECT_THAT(weights, ElementsAre("a,b", "c"));
}

TEST_F(CommandLine, AcceptsOldNames) {
  int64_t images = 0;
  options.add("dev-images", images, "Images.");
  read({"run", "--dev-pictures", "3"});
  EXPECT_EQ(images, 3);
  EXPECT_EQ(error_of({"run", "--dev-pictures=3", "--dev-images=3"}), "option --dev-images is given twice");
}

TEST_F(CommandLine, HelpShowsImportantOptionsFirstWithDefaultAndRange) {
  constexpr std::string_view kImportant[] = {"weights"}, kExamples[] = {"predict run a.png"};
  Syntax with_examples = syntax;
  with_examples.important = kImportant;
  with_examples.examples = kExamples;
  CaptureStdout();
  EXPECT_FALSE(print_help(with_examples, std::vector<std::string>{"run", "--", "--help"}, options));
  EXPECT_TRUE(print_help(with_examples, std::vector<std::string>{"--nonsense", "--help"}, options));
  EXPECT_EQ(GetCapturedStdout(), R"(Usage: frgan predict CHECKPOINT IMAGE... [OPTIONS]

Classifies images.

Most important options:
  --weights A,B,...
      A list. Default: a,b.

Prediction:
  --top N
      Number of classes to print. Default: 1. Range: 1 to 10 classes.
  --format WORD
      Output format | layout. Default: csv. Choices: csv, json.
  -o, --output TEXT
      Output file.
  --[no-]probabilities
      Print all probabilities. Default: false.
  --[no-]average
      Use the averaged weights. Default: true.

  -h, --help
      Prints this help.

Examples:
  frgan predict run a.png
)");
}

TEST_F(CommandLine, HelpWrapsLongLines) {
  int64_t number = 0;
  options.add("long", number, std::string(60, 'a') + " " + std::string(40, 'b') + " c");
  const std::string text = help_page(HelpFormat::kText, syntax, options.groups());
  EXPECT_THAT(text,
              HasSubstr("      " + std::string(60, 'a') + "\n      " + std::string(40, 'b') + " c Default: 0.\n"));
}

TEST_F(CommandLine, HelpExplainsReadingsOfThePaper) {
  constexpr const char* kLegend = "Labels such as A28 refer to the readings of the paper in docs/paper.md.\n";
  EXPECT_THAT(help_page(HelpFormat::kText, syntax, options.groups()), testing::Not(HasSubstr(kLegend)));
  int64_t number = 0;
  options.add("se", number, "A number (A3: SE position).");
  EXPECT_THAT(help_page(HelpFormat::kText, syntax, options.groups()), HasSubstr(kLegend));
}

TEST_F(CommandLine, MarkdownIsTable) {
  EXPECT_THAT(help_page(HelpFormat::kMarkdown, syntax, options.groups()), HasSubstr(R"(
### Prediction

| option | default | allowed | meaning |
|---|---|---|---|
| `--top` | `1` | 1 to 10 classes | Number of classes to print. |
| `--format` | `csv` | csv, json | Output format \| layout. |
| `--output` |  |  | Output file. |
)"));
}

TEST_F(CommandLine, ManPageEscapesHyphensAndLeadingDots) {
  EXPECT_EQ(roff(".a-b\\c"), "\\&.a\\-b\\ec");
  EXPECT_THAT(help_page(HelpFormat::kMan, syntax, options.groups()),
              HasSubstr(".TP\n\\fB\\-\\-top N\\fR\nNumber of classes to print. Default: 1. Range: 1 to 10 classes.\n"));
}

TEST_F(CommandLine, CompletionKnowsChoices) {
  const std::string bash = help_page(HelpFormat::kBash, syntax, options.groups());
  EXPECT_THAT(bash, HasSubstr("--format) words='csv json' ;;"));
  EXPECT_THAT(bash, HasSubstr("*) words='--top --format --output --probabilities --no-probabilities --average "
                              "--no-average --weights --help' ;;"));
  EXPECT_THAT(help_page(HelpFormat::kZsh, syntax, options.groups()),
              HasSubstr("'--format=[Output format | layout]:WORD:(csv json)'"));
}

}  // namespace
}  // namespace frgan
