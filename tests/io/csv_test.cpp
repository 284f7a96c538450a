#include "frgan/io/csv.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

TEST(CsvField, IsQuotedIfNeeded) {
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a cat's"), "a cat's");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"a\""), "\"say \"\"a\"\"\"");
  EXPECT_EQ(csv_field("a\nb"), "\"a\nb\"");
}

TEST(CsvText, IsNeitherControlNorFormula) {
  EXPECT_EQ(csv_text("cat"), "cat");
  EXPECT_EQ(csv_text("a\nb\x1b"), "a\\nb\\x1b");
  EXPECT_EQ(csv_text("=cmd()"), "'=cmd()");
  EXPECT_EQ(csv_text("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
  EXPECT_EQ(csv_text("-1+2"), "'-1+2");
  for (const char* number : {"-1.5", "+3", "-2e-05", "0"}) EXPECT_EQ(csv_text(number), number);
}

TEST(ParseCsv, ReadsQuotesAndLineEnds) {
  const auto fields = [](std::string_view text) {
    std::vector<std::vector<std::string>> all;
    for (const CsvRecord& record : parse_csv(text, "t.csv")) all.push_back(record.fields);
    return all;
  };
  using Fields = std::vector<std::vector<std::string>>;
  EXPECT_EQ(fields(""), Fields{});
  EXPECT_EQ(fields("\n\r\n"), Fields{});
  EXPECT_EQ(fields("a,b"), (Fields{{"a", "b"}}));
  EXPECT_EQ(fields("a,\r\n,\n"), (Fields{{"a", ""}, {"", ""}}));
  EXPECT_EQ(fields("\"a,\"\"b\"\"\nc\",d\n\"\"\n"), (Fields{{"a,\"b\"\nc", "d"}, {""}}));
  EXPECT_EQ(fields("a\rb,c"), (Fields{{"a\rb", "c"}}));
  const std::vector<CsvRecord> records = parse_csv("a\n\"b\nc\"\n\nd", "t.csv");
  EXPECT_EQ(records[1].line, 2);
  EXPECT_EQ(records[2].line, 5);
  for (const char* text : {"=cmd()", "@x", "-1+2", "+", "a,\"b", "'x", "plain"}) {
    EXPECT_EQ(fields(csv_text(text)), (Fields{{text}})) << text;
  }
}

TEST(ParseCsv, NamesTheLineOfAMisplacedQuote) {
  const auto error = [](std::string_view text) {
    try {
      parse_csv(text, "t.csv");
    } catch (const Error& found) {
      return std::string(found.what());
    }
    return std::string();
  };
  EXPECT_EQ(error("a\nb\"c\"\n"),
            "t.csv, line 2: quote within a field; put the whole field in quotes and double each quote");
  EXPECT_EQ(error("\"a\"b\n"), "t.csv, line 1: text after a closing quote");
  EXPECT_EQ(error("a\n\"b\nc\n"), "t.csv, line 2: closing quote missing");
}

}  // namespace
}  // namespace frgan
