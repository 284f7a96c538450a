#include "frgan/report/svg_drawing.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "frgan/report/markup.h"

namespace frgan {
namespace {

constexpr double kLine = 17;  // line spacing in pixels

constexpr std::string_view kDrawingStyle = R"(<style>
svg { background: #fff; font: 13px system-ui, sans-serif; }
text { fill: #222; }
.box { stroke: #555; fill: #f4f4f4; } .data { fill: #dcecf7; } .network { fill: #fbe8d3; } .loss { fill: #dff2e6; }
.arrow { stroke: #555; stroke-width: 1.5; fill: none; marker-end: url(#tip); } #tip path { fill: #555; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; } text { fill: #ddd; }
  .box { stroke: #999; fill: #26292f; } .data { fill: #17324a; } .network { fill: #4a3217; } .loss { fill: #174030; }
  .arrow { stroke: #aaa; } #tip path { fill: #aaa; }
}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>
)";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

SvgDrawing::SvgDrawing(std::string_view title, double width, double height)
    : body_(
          fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
                      "role=\"img\" aria-label=\"{2}\">\n<title>{2}</title>\n{3}",
                      width, height, escaped(title), kDrawingStyle)) {}

void SvgDrawing::box(double x, double y, double width, double height, std::string_view text, std::string_view kind) {
  body_ += fmt::format("<rect class=\"box {}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n", kind, x, y,
                       width, height);
  const std::vector<std::string_view> lines = lines_of(text);
  double baseline = y + height / 2 + kLine * 0.3 - kLine * (static_cast<double>(lines.size()) - 1) / 2;
  for (const std::string_view line : lines) {
    words(x + width / 2, baseline, line);
    baseline += kLine;
  }
}

void SvgDrawing::arrow(double x1, double y1, double x2, double y2) {
  body_ += fmt::format("<path class=\"arrow\" d=\"M{} {} L{} {}\"/>\n", x1, y1, x2, y2);
}

void SvgDrawing::bent_arrow(double x1, double y1, double x2, double y2, bool first_along_x) {
  body_ += fmt::format("<path class=\"arrow\" d=\"M{} {} L{} {} L{} {}\"/>\n", x1, y1, first_along_x ? x2 : x1,
                       first_along_x ? y1 : y2, x2, y2);
}

void SvgDrawing::words(double x, double y, std::string_view text, std::string_view anchor) {
  body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, escaped(text));
}

std::string SvgDrawing::text() const {
  return body_ + "</svg>\n";
}

}  // namespace frgan
