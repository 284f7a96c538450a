// A table of results, and how it is written for people and for programs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace frgan {

// What people read, and the numbers in it for programs.
struct TableCell {
  std::string text;                  // "7.20 ± 0.16"
  std::vector<std::string> numbers;  // one for each of the column's names; all empty where there is none
};

struct TableColumn {
  std::string heading;             // "error (%)"; empty: for programs alone
  std::vector<std::string> names;  // "error_mean", "error_sd": columns of the CSV
};

struct TableSection {
  std::string title;  // above its rows, and in the CSV's first column; empty where there is one section
  std::vector<std::vector<TableCell>> rows;
};

struct Table {
  std::string title;
  std::vector<TableColumn> columns;
  std::vector<TableSection> sections;
  std::vector<std::string> notes;  // below it, a sentence each
};

std::string markdown_of(const Table& table);
// RFC 4180, a header line and then a line for each row of all sections, whose title comes first.
std::string csv_of(const Table& table);
// A table environment with booktabs' rules; to be set with XeLaTeX, LuaLaTeX or an inputenc that knows utf8.
std::string latex_of(const Table& table);
// A page of its own, readable in light and dark and on a phone.
std::string html_of(const Table& table);

// FOLDER/NAME.md, .csv, .tex and .html.
void write_table(const std::filesystem::path& folder, const std::string& name, const Table& table);

// A cell whose text is its one number, or a dash.
TableCell text_cell(std::string text);

}  // namespace frgan
