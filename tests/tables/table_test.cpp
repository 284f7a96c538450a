#include "frgan/tables/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using testing::HasSubstr;

Table small_table() {
  return {"Errors | of <all> & more",
          {{"method", {"method"}}, {"error (%)", {"error_mean", "error_sd"}}, {"", {"seconds"}}},
          {{"labels 500", {{text_cell("Π, \"one\""), {"7.20 ± 0.16", {"7.2", "0.16"}}, {"", {"3"}}}}},
           {"labels 1000", {{text_cell("a|b_c"), {"–", {"", ""}}, {"", {""}}}}}},
          {"A note with 50 %."}};
}

TEST(Table, WritesMarkdown) {
  EXPECT_EQ(markdown_of(small_table()), R"(# Errors \| of \<all> & more

## labels 500

| method | error (%) |
|---|---|
| Π, "one" | 7.20 ± 0.16 |

## labels 1000

| method | error (%) |
|---|---|
| a\|b_c | – |

- A note with 50 %.
)");
}

TEST(Table, OmitsEmptyColumnsExceptInCsv) {
  Table table = small_table();
  table.sections[0].rows[0][1] = {"–", {"", ""}};
  for (const std::string& text : {markdown_of(table), latex_of(table), html_of(table)}) {
    EXPECT_THAT(text, testing::Not(HasSubstr("error (")));
    EXPECT_THAT(text, HasSubstr("method"));
  }
  EXPECT_THAT(csv_of(table), HasSubstr("section,method,error_mean,error_sd,seconds\n"));
  table.sections.clear();
  EXPECT_THAT(markdown_of(table), HasSubstr("- A note with 50 %.")) << "a table without rows";
}

TEST(Table, WritesCsvWithAllNumbers) {
  EXPECT_EQ(csv_of(small_table()),
            "section,method,error_mean,error_sd,seconds\n"
            "labels 500,\"Π, \"\"one\"\"\",7.2,0.16,3\n"
            "labels 1000,a|b_c,,,\n");
}

TEST(Table, EscapesLatex) {
  const std::string text = latex_of(small_table());
  EXPECT_THAT(text, HasSubstr("\\caption{Errors | of <all> \\& more}"));
  EXPECT_THAT(text, HasSubstr("$\\Pi$, \"one\" & 7.20 $\\pm$ 0.16 \\\\"));
  EXPECT_THAT(text, HasSubstr("a|b\\_c"));
  EXPECT_THAT(text, HasSubstr("\\multicolumn{2}{l}{\\textbf{labels 500}}"));
  EXPECT_THAT(text, HasSubstr("50 \\%."));
}

TEST(Table, EscapesHtml) {
  const std::string text = html_of(small_table());
  EXPECT_THAT(text, HasSubstr("<h1>Errors | of &lt;all&gt; &amp; more</h1>"));
  EXPECT_THAT(text, HasSubstr("<th scope=\"col\">error (%)</th></tr>"));
  EXPECT_THAT(text, HasSubstr("<td>7.20 ± 0.16</td></tr>"));
  EXPECT_THAT(text, testing::Not(HasSubstr("<all>")));
}

TEST(Table, WritesFourFormats) {
  const TemporaryFolder folder;
  write_table(folder.path() / "new", "table9", small_table());
  for (const char* ending : {".md", ".csv", ".tex", ".html"}) {
    EXPECT_GT(read_file(folder.path() / "new" / (std::string("table9") + ending)).size(), 50u) << ending;
  }
}

}  // namespace
}  // namespace frgan
