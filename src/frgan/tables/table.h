// A table of results and its output formats: Markdown, CSV, LaTeX and HTML.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

// The text of a cell without a value.
inline constexpr std::string_view kNoValue = "–";

// A cell's text for Markdown, LaTeX and HTML, and its numbers for CSV.
struct TableCell {
  std::string text;                  // "7.20 ± 0.16"
  std::vector<std::string> numbers;  // one per CSV column (TableColumn::names); empty strings for missing values
};

struct TableColumn {
  std::string heading;             // "error (%)"; empty: only in the CSV
  std::vector<std::string> names;  // columns of the CSV: "error_mean", "error_sd"
};

struct TableSection {
  std::string title;  // printed above its rows, and in the first CSV column; empty if there is only one section
  std::vector<std::vector<TableCell>> rows;
};

struct Table {
  std::string title;
  std::vector<TableColumn> columns;
  std::vector<TableSection> sections;
  std::vector<std::string> notes;  // printed below the table, one item each
};

// Markdown, LaTeX and HTML omit columns without a value in any row. Texts are escaped in every format.
std::string markdown_of(const Table& table);
// RFC 4180: a header line, then a line for each row. The first column is the section's title. All columns, and texts as
// csv_text (io/csv.h) writes them.
std::string csv_of(const Table& table);
// A table environment that uses booktabs and graphicx. Needs XeLaTeX, LuaLaTeX or inputenc with utf8.
std::string latex_of(const Table& table);
// A complete page for light and dark color schemes and narrow screens.
std::string html_of(const Table& table);

// Writes FOLDER/NAME.md, .csv, .tex and .html.
void write_table(const std::filesystem::path& folder, const std::string& name, const Table& table);

// A cell with one CSV value, which is also its text. An empty text is shown as kNoValue.
TableCell text_cell(std::string text);

}  // namespace frgan
