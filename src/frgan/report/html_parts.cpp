#include "frgan/report/html_parts.h"

#include <cmath>

#include <fmt/format.h>

#include "frgan/report/markup.h"

namespace frgan {

std::string percent(double share) {
  return std::isfinite(share) ? fmt::format("{:.2f}&nbsp;%", 100 * share) : "-";
}

std::string grouped(int64_t number) {
  std::string text = fmt::format("{}", number);
  for (size_t end = text.size(); end > (number < 0 ? 4U : 3U);) text.insert(end -= 3, ",");
  return text;
}

std::string colour_class(size_t run) {
  return fmt::format("c{}{}", run % kColours, run < kColours ? "" : " dashed");
}

std::string run_label(const std::vector<RunHistory>& runs, size_t run) {
  return fmt::format("<span class=\"run\"><span class=\"swatch {}\" aria-hidden=\"true\"></span>{}</span>",
                     colour_class(run), escaped(runs[run].name));
}

std::string table_html(const HtmlTable& table) {
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table "
      "class=\"{}\">\n<caption>{}</caption>\n",
      table.caption, table.classes, table.caption);
  html += "<thead><tr>";
  for (const std::string& cell : table.header) html += fmt::format("<th scope=\"col\">{}</th>", cell);
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& row : table.rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      html += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", row[i]) : fmt::format("<td>{}</td>", row[i]);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string details_html(std::string_view summary, std::string_view html) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", escaped(summary), html);
}

std::string section_html(std::string_view id, std::string_view heading, std::string_view html) {
  if (html.empty()) return "";
  return fmt::format("<section id=\"{}\" aria-labelledby=\"{}-title\">\n<h2 id=\"{}-title\">{}</h2>\n{}</section>\n",
                     id, id, id, escaped(heading), html);
}

std::string panels_html(const std::vector<RunHistory>& runs, const std::vector<RunPanels>& panels, size_t bytes,
                        std::string_view file) {
  if (panels.empty()) return "";
  std::string html = "<div class=\"grid\">\n";
  std::vector<std::string> left_out;
  for (const RunPanels& panel : panels) {
    if (left_out.empty() && html.size() + panel.html.size() <= bytes) {
      html += panel.html;
    } else {
      left_out.push_back(escaped(runs[panel.run].name));
    }
  }
  html += "</div>\n";
  if (left_out.empty()) return html;
  return html + omitted_html(fmt::format("{}; see {} in the run folders", fmt::join(left_out, ", "), file));
}

std::string omitted_html(std::string_view html) {
  return fmt::format("<p class=\"note\">Omitted to limit the page size: {}.</p>\n", html);
}

std::string figure_html(std::string_view drawing, std::string_view caption) {
  return fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", drawing, caption);
}

}  // namespace frgan
