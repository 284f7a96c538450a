#include "frgan/tables/table.h"

#include <fmt/format.h>

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

std::string in_markdown(std::string_view text) {
  constexpr Replacement kEscapes[] = {{'|', "\\|"}, {'\n', " "}};
  return replaced(text, kEscapes);
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
  std::string result = replaced(text, kEscapes);
  for (const auto& [sign, command] : {std::pair{"±", "$\\pm$"}, {"×", "$\\times$"}, {"Π", "$\\Pi$"}, {"−", "$-$"}}) {
    for (size_t at = 0; (at = result.find(sign, at)) != std::string::npos;) {
      result.replace(at, std::string_view(sign).size(), command);
    }
  }
  return result;
}

std::vector<size_t> shown_columns(const Table& table) {
  std::vector<size_t> shown;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].heading.empty()) shown.push_back(i);
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
  std::string text = fmt::format("# {}\n", table.title);
  for (const TableSection& section : table.sections) {
    text += section.title.empty() ? "\n" : fmt::format("\n## {}\n\n", section.title);
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
  for (const std::string& note : table.notes) text += fmt::format("- {}\n", note);
  return text;
}

std::string csv_of(const Table& table) {
  std::string text = "section";
  for (const TableColumn& column : table.columns) {
    for (const std::string& name : column.names) text += "," + csv_field(name);
  }
  text += "\n";
  for (const TableSection& section : table.sections) {
    for (const std::vector<TableCell>& row : section.rows) {
      text += csv_field(section.title);
      for (size_t i = 0; i < row.size(); ++i) {
        for (size_t k = 0; k < table.columns[i].names.size(); ++k) {
          text += "," + (k < row[i].numbers.size() ? csv_field(row[i].numbers[k]) : "");
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
  for (const std::string& note : table.notes) text += fmt::format("<li>{}</li>\n", escaped(note));
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
  return {text.empty() ? "–" : text, {text}};
}

}  // namespace frgan
