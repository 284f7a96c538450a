#include "frgan/tables/table.h"

#include <algorithm>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/csv.h"
#include "frgan/io/files.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

struct Replacement {
  char from;
  std::string_view to;
};

template <size_t kCount>
std::string replaced(std::string_view text, const Replacement (&replacements)[kCount]) {
  std::string result;
  for (const char c : text) {
    std::string_view to;
    for (const Replacement& replacement : replacements) {
      if (c == replacement.from) to = replacement.to;
    }
    if (to.empty()) {
      result += c;
    } else {
      result += to;
    }
  }
  return result;
}

// Texts come from plans and records. Line breaks become spaces; other control characters are escaped.
std::string plain(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return one_line(line);
}

// Escapes what Markdown would take for code, emphasis, a table cell, a link or an HTML tag. "[" and "<" stay as they
// are in intervals and in "p <1e-300".
std::string in_markdown(std::string_view text) {
  constexpr Replacement kEscapes[] = {{'\\', "\\\\"}, {'|', "\\|"}, {'`', "\\`"}, {'*', "\\*"}};
  const std::string escaped = replaced(plain(text), kEscapes);
  std::string result;
  for (size_t i = 0; i < escaped.size(); ++i) {
    const char before = i > 0 ? escaped[i - 1] : '\0', next = i + 1 < escaped.size() ? escaped[i + 1] : '\0';
    const bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    const bool tag = escaped[i] == '<' && (letter || next == '/' || next == '!' || next == '?');
    const bool link = escaped[i] == '(' && before == ']';
    if (tag || link) result += '\\';
    result += escaped[i];
  }
  return result;
}

std::string in_latex(std::string_view text) {
  constexpr Replacement kEscapes[] = {{'\\', "\\textbackslash{}"},
                                      {'&', "\\&"},
                                      {'%', "\\%"},
                                      {'$', "\\$"},
                                      {'#', "\\#"},
                                      {'_', "\\_"},
                                      {'{', "\\{"},
                                      {'}', "\\}"},
                                      {'~', "\\textasciitilde{}"},
                                      {'^', "\\textasciicircum{}"}};
  std::string result = replaced(plain(text), kEscapes);
  for (const auto& [sign, command] : {std::pair{"±", "$\\pm$"}, {"×", "$\\times$"}, {"Π", "$\\Pi$"}, {"−", "$-$"}}) {
    for (size_t at = 0; (at = result.find(sign, at)) != std::string::npos;) {
      result.replace(at, std::string_view(sign).size(), command);
    }
  }
  return result;
}

// Whether some row has a value in this column; true if there are no rows.
bool has_values(const Table& table, size_t column) {
  bool any_row = false;
  for (const TableSection& section : table.sections) {
    for (const std::vector<TableCell>& row : section.rows) {
      any_row = true;
      if (!row[column].text.empty() && row[column].text != kNoValue) return true;
    }
  }
  return !any_row;
}

std::vector<size_t> shown_columns(const Table& table) {
  std::vector<size_t> shown;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].heading.empty() && has_values(table, i)) shown.push_back(i);
  }
  return shown;
}

constexpr std::string_view kTableStyle = R"(.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid #8884; font-variant-numeric: tabular-nums; }
thead th { border-bottom: 2px solid #888; vertical-align: bottom; }
tbody th { font-weight: 600; padding-top: 1rem; }
)";

}  // namespace

std::string markdown_of(const Table& table) {
  const std::vector<size_t> shown = shown_columns(table);
  std::string text = fmt::format("# {}\n", in_markdown(table.title));
  for (const TableSection& section : table.sections) {
    text += section.title.empty() ? "\n" : fmt::format("\n## {}\n\n", in_markdown(section.title));
    std::string rule;
    for (const size_t i : shown) {
      text += fmt::format("| {} ", in_markdown(table.columns[i].heading));
      rule += "|---";
    }
    text += fmt::format("|\n{}|\n", rule);
    for (const std::vector<TableCell>& row : section.rows) {
      for (const size_t i : shown) text += fmt::format("| {} ", in_markdown(row[i].text));
      text += "|\n";
    }
  }
  if (!table.notes.empty()) text += "\n";
  for (const std::string& note : table.notes) text += fmt::format("- {}\n", in_markdown(note));
  return text;
}

std::string csv_of(const Table& table) {
  std::string text = "section";
  for (const TableColumn& column : table.columns) {
    for (const std::string& name : column.names) text += "," + csv_text(name);
  }
  text += "\n";
  for (const TableSection& section : table.sections) {
    for (const std::vector<TableCell>& row : section.rows) {
      text += csv_text(section.title);
      for (size_t i = 0; i < row.size(); ++i) {
        for (size_t k = 0; k < table.columns[i].names.size(); ++k) {
          text += "," + (k < row[i].numbers.size() ? csv_text(row[i].numbers[k]) : "");
        }
      }
      text += "\n";
    }
  }
  return text;
}

std::string latex_of(const Table& table) {
  const std::vector<size_t> shown = shown_columns(table);
  std::string text = fmt::format(
      "% \\usepackage{{booktabs, graphicx}}\n\\begin{{table}}\n\\centering\n\\caption{{{}}}\n", in_latex(table.title));
  text += fmt::format("\\resizebox{{\\linewidth}}{{!}}{{%\n\\begin{{tabular}}{{{}}}\n\\toprule\n",
                      std::string(shown.size(), 'l'));
  const auto line = [&](const auto& text_of_column) {
    std::string cells;
    for (const size_t i : shown) cells += (cells.empty() ? "" : " & ") + in_latex(text_of_column(i));
    return cells + " \\\\\n";
  };
  text += line([&](size_t i) { return table.columns[i].heading; });
  for (const TableSection& section : table.sections) {
    text += "\\midrule\n";
    if (!section.title.empty()) {
      text += fmt::format("\\multicolumn{{{}}}{{l}}{{\\textbf{{{}}}}} \\\\\n", shown.size(), in_latex(section.title));
    }
    for (const std::vector<TableCell>& row : section.rows) text += line([&](size_t i) { return row[i].text; });
  }
  text += "\\bottomrule\n\\end{tabular}}\n";
  for (const std::string& note : table.notes) text += fmt::format("\\par\\small {}\n", in_latex(note));
  return text + "\\end{table}\n";
}

std::string html_of(const Table& table) {
  const std::vector<size_t> shown = shown_columns(table);
  std::string text = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"table\">\n<table>\n<thead><tr>";
  for (const size_t i : shown) text += fmt::format("<th scope=\"col\">{}</th>", escaped(table.columns[i].heading));
  text += "</tr></thead>\n";
  for (const TableSection& section : table.sections) {
    text += "<tbody>\n";
    if (!section.title.empty()) {
      text +=
          fmt::format("<tr><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n", shown.size(), escaped(section.title));
    }
    for (const std::vector<TableCell>& row : section.rows) {
      text += "<tr>";
      for (const size_t i : shown) text += fmt::format("<td>{}</td>", escaped(row[i].text));
      text += "</tr>\n";
    }
    text += "</tbody>\n";
  }
  text += "</table></div>\n";
  if (!table.notes.empty()) text += "<ul>\n";
  for (const std::string& note : table.notes) text += fmt::format("<li>{}</li>\n", escaped(plain(note)));
  if (!table.notes.empty()) text += "</ul>\n";
  return plain_page(table.title, kTableStyle, text);
}

void write_table(const std::filesystem::path& folder, const std::string& name, const Table& table) {
  ensure_directory(folder);
  write_file_safely(folder / (name + ".md"), markdown_of(table));
  write_file_safely(folder / (name + ".csv"), csv_of(table));
  write_file_safely(folder / (name + ".tex"), latex_of(table));
  write_file_safely(folder / (name + ".html"), html_of(table));
}

TableCell text_cell(std::string text) {
  return {text.empty() ? std::string(kNoValue) : text, {text}};
}

}  // namespace frgan
