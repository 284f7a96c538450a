#include "frgan/report/html_report.h"

#include <utility>

#include <fmt/format.h>

#include "frgan/report/html_sections.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

struct Section {
  std::string_view id, name;  // anchor in the page; entry in the table of contents
  std::string (*write)(const std::vector<RunHistory>& runs);
};
constexpr Section kSections[] = {
    {"summary", "Summary", summary_section},    {"quality", "Confidence", quality_section},
    {"curves", "Curves", error_curves_section}, {"comparison", "Comparison", comparison_section},
    {"classes", "Classes", classes_section},    {"confusion", "Confusion", confusion_section},
    {"mistakes", "Mistakes", mistakes_section}, {"samples", "Images", samples_section},
    {"losses", "Losses", loss_curves_section},  {"gates", "Gates", gates_section},
    {"options", "Options", options_section},    {"environment", "Environment", environment_section}};

std::string title_of(const std::vector<RunHistory>& runs) {
  return runs.size() == 1 ? fmt::format("{} - frgan run", runs[0].name) : fmt::format("{} frgan runs", runs.size());
}

}  // namespace

std::string html_report(const std::vector<RunHistory>& runs, const ReportFrame& frame) {
  std::string contents, sections;
  for (const Section& section : kSections) {
    const std::string html = section.write(runs);
    if (html.empty()) continue;
    contents += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", section.id, section.name);
    sections += html;
  }
  const std::string title = escaped(title_of(runs));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
      "<link rel=\"icon\" href=\"data:,\">\n<style>\n{}</style>\n</head>\n<body>\n"
      "<a class=\"skip\" href=\"#content\">Skip to content</a>\n"
      "<header>\n<h1>{}</h1>\n<p class=\"soft\">Generated on {} by frgan {}</p>\n"
      "<nav aria-label=\"Contents\"><ul>\n{}</ul></nav>\n</header>\n<main "
      "id=\"content\">\n{}</main>\n</body>\n</html>\n",
      title, report_style(runs.size()), title, escaped(frame.date), escaped(frame.version), contents, sections);
}

}  // namespace frgan
