// Feeds names that an attacker would choose for files, classes and plans to every output: terminal text, CSV, JSON,
// tables in all formats, and the HTML report.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/console.h"
#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/csv.h"
#include "frgan/io/image_file.h"
#include "frgan/report/html_report.h"
#include "frgan/tables/table.h"

namespace frgan {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> hostile_names() {
  return {"\x1b]0;title\x07\x1b[31mred",
          "\xc2\x9b"
          "31mred",  // U+009B begins an escape sequence too
          "\x9b\xff\xc0\xaf\xed\xa0\x80 not UTF-8",
          "two\nlines\r\tand a tab\x7f",
          "quotes \"'`, commas; *stars* and | pipes",
          "<script>alert(1)</script>",
          "[link](javascript:alert(1))",
          "\\input{/etc/passwd} $x^2$ #1 50% & ~_{}",
          "=cmd|' /C calc'!A0",
          "@SUM(A1:A9)",
          "+1-1",
          "-2+3",
          "\t=1",
          "\r=1",
          std::string(5000, 'x')};
}

// Expects text that a terminal shows as it is: UTF-8 without control characters other than line breaks.
void expect_harmless(const std::string& text) {
  EXPECT_TRUE(is_utf8(text));
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]),
               next = static_cast<unsigned char>(text[std::min(i + 1, text.size() - 1)]);
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c != 0x7f)) << "byte " << int{c} << " at " << i;
    EXPECT_FALSE(c == 0xc2 && next < 0xa0) << "C1 control character at " << i;
  }
}

// The cells of RFC 4180 text.
std::vector<std::vector<std::string>> parsed_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    std::string& cell = rows.back().back();
    if (text[i] == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      cell += text[++i];
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      rows.back().emplace_back();
    } else if (text[i] == '\n' && !quoted) {
      rows.emplace_back(1);
    } else {
      cell += text[i];
    }
  }
  rows.pop_back();  // after the last line break
  return rows;
}

Table hostile_table() {
  Table table{hostile_names()[5], {{"name", {"name"}}, {hostile_names()[4], {"=heading"}}}, {}, hostile_names()};
  for (const std::string& name : hostile_names()) {
    table.sections.push_back({name, {{text_cell(name), {"-1.5", {"-1.5"}}}}});
  }
  return table;
}

TEST(HostileNames, TerminalShowsThemAsText) {
  for (const std::string& name : hostile_names()) {
    expect_harmless(printable(name));
    expect_harmless(one_line(name));
    EXPECT_THAT(one_line(name), Not(HasSubstr("\n")));
    expect_harmless(Error(name).what());
  }
  EXPECT_EQ(printable("a\nb\x1b\n"), "a\nb\\x1b\n");
  EXPECT_EQ(one_line("Größe 数\n"), "Größe 数\\n");
}

TEST(HostileNames, CsvHasNoFormulas) {
  EXPECT_EQ(csv_text("=1,2"), "\"'=1,2\"");
  EXPECT_EQ(csv_text("-1.5e3"), "-1.5e3");
  EXPECT_EQ(csv_text("+7"), "+7");
  const std::string csv = csv_of(hostile_table());
  expect_harmless(csv);
  const auto rows = parsed_csv(csv);
  ASSERT_EQ(rows.size(), hostile_names().size() + 1);
  for (const std::vector<std::string>& row : rows) {
    ASSERT_EQ(row.size(), 3U);
    for (const std::string& cell : row) {
      EXPECT_TRUE(cell == "-1.5" || std::string_view("=+-@\t\r").find(cell.front()) == std::string_view::npos) << cell;
    }
  }
  EXPECT_EQ(rows[9][1], "'=cmd|' /C calc'!A0");
}

TEST(HostileNames, JsonIsValid) {
  for (const std::string& name : hostile_names()) {
    const std::string text = json_text({{name, name}}, 2);
    expect_harmless(text);
    const Json read = parse_json(text, "the test");
    if (is_utf8(name)) {
      EXPECT_EQ(read.at(name).text(), name);
    }
  }
}

TEST(HostileNames, MarkdownHasNoTagsLinksOrCells) {
  const std::string text = markdown_of(hostile_table());
  expect_harmless(text);
  EXPECT_THAT(text, Not(HasSubstr("](")));
  EXPECT_THAT(text, HasSubstr("\\<script>alert(1)\\</script>"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'),
            1 + 6 * std::ssize(hostile_names()) + 1 + std::ssize(hostile_names()));
}

TEST(HostileNames, LatexHasNoCommands) {
  const std::string text = latex_of(hostile_table());
  expect_harmless(text);
  EXPECT_THAT(text, Not(HasSubstr("\\input")));
  EXPECT_THAT(text, HasSubstr("\\textbackslash{}input\\{/etc/passwd\\} \\$x\\textasciicircum{}2\\$ \\#1 50\\% \\& "));
}

TEST(HostileNames, HtmlHasNoTags) {
  RunHistory run;
  run.folder = run.name = hostile_names()[5];
  run.finished = true;
  run.notes = hostile_names();
  for (const std::string& name : hostile_names()) run.options.emplace_back(name, name);
  run.summary.method = run.summary.command = run.summary.data = hostile_names()[0];
  run.summary.steps = 100;
  run.summary.test = EvaluationRecord{100, EvaluatedImages::kTest, 0.5, 0.4, 0.6, 2};
  run.evaluations = {*run.summary.test};
  run.steps = {{100, 1, {{hostile_names()[0], 2}}, 0.01, 400, 60}};
  run.mistakes = find_mistakes(std::vector<int64_t>{0, 5}, std::vector<int64_t>{5, 2}, std::vector<float>{0.9F, 0.8F},
                               hostile_names(), /*shown=*/2);
  run.mistakes->role = EvaluatedImages::kTest;
  run.mistakes_png = encode_png(std::vector<uint8_t>(16 * 34 * 3, 9), 16, 34, 3);
  run.shown_mistakes = 2;
  for (const std::string& page : {html_of(hostile_table()), html_report({run}, {"2026-11-25", hostile_names()[0]})}) {
    expect_harmless(page);
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  }
}

}  // namespace
}  // namespace frgan
