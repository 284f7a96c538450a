#include "frgan/report/learning_curve.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "frgan/core/error.h"
#include "frgan/io/json_lines.h"

namespace frgan {
namespace {

// Pixels. The names of the curves stand to the right of the plot.
constexpr double kWidth = 720, kHeight = 400;
constexpr double kLeft = 64, kRight = 560, kTop = 44, kBottom = 344;

// Okabe and Ito's colours, which people of any colour vision tell apart; the last is lighter on dark ground.
constexpr std::string_view kStyle = R"(<style>
svg { background: #fff; font: 13px system-ui, sans-serif; }
text { fill: #222; }
.grid { stroke: #ddd; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.c0 { stroke: #0072b2; } .c1 { stroke: #d55e00; } .c2 { stroke: #009e73; } .c3 { stroke: #cc79a7; } .c4 { stroke: #e69f00; }
.c5 { stroke: #000; }
@media (prefers-color-scheme: dark) {
  svg { background: #16181c; } text { fill: #ddd; } .grid { stroke: #3a3d44; } .c0 { stroke: #56b4e9; } .c5 { stroke: #fff; }
}
</style>
)";
constexpr size_t kColours = 6;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// An axis from its first tick to its last, laid over pixels.
struct Axis {
  std::vector<double> ticks;
  double from, to;
  double at(double value) const {
    return from + (value - ticks.front()) / (ticks.back() - ticks.front()) * (to - from);
  }
};

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, escaped(text));
}

std::string line_between(double x1, double y1, double x2, double y2, std::string_view classes) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                     classes);
}

std::string draw_curve(const Curve& curve, const Axis& x, const Axis& y, size_t colour) {
  std::string points;
  for (const auto& [step, value] : curve.points) {
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x.at(step), y.at(value));
  }
  // The square cap makes a curve of one point visible.
  return fmt::format(
      "<polyline class=\"curve c{}\" stroke-linecap=\"square\" points=\"{}\"><title>{}</title></polyline>\n", colour,
      points, escaped(curve.name));
}

}  // namespace

Curve read_curve(const std::filesystem::path& metrics, const std::string& column, const std::string& name,
                 double scale) {
  std::string path = "/" + column;
  std::replace(path.begin(), path.end(), '.', '/');
  const nlohmann::json::json_pointer pointer(path);
  Curve curve{name, {}};
  for (const nlohmann::json& line : read_json_lines(metrics)) {
    if (!line.contains(pointer) || !line.at(pointer).is_number() || !line.contains("step")) continue;
    curve.points.emplace_back(line["step"].get<double>(), line.at(pointer).get<double>() * scale);
  }
  if (curve.points.empty()) {
    throw Error(fmt::format("{}: no line has a number \"{}\"; what was logged is listed in frgan/report/run_log.h",
                            metrics.string(), column));
  }
  return curve;
}

std::vector<double> axis_ticks(double low, double high) {
  constexpr double kFewest = 4;  // intervals
  if (high <= low) high = low + 1;
  const double power = std::pow(10, std::floor(std::log10((high - low) / kFewest)));
  double spacing = power;
  for (const double factor : {2.0, 5.0}) {
    if ((high - low) / (factor * power) >= kFewest) spacing = factor * power;
  }
  std::vector<double> ticks;
  // Multiples, not sums: 0.1 added ten times is not 1.
  const double first = std::floor(low / spacing);
  do {
    ticks.push_back((first + static_cast<double>(ticks.size())) * spacing);
  } while (ticks.back() < high - 1e-9 * spacing);
  return ticks;
}

std::string learning_curve_svg(const LearningCurves& chart) {
  double last_step = 0, low = 0, high = 0;
  bool any = false;
  for (const Curve& curve : chart.curves) {
    for (const auto& [step, value] : curve.points) {
      if (!std::isfinite(step) || !std::isfinite(value)) {
        throw Error(fmt::format("the curve \"{}\" has a value that is not finite at step {}", curve.name, step));
      }
      last_step = std::max(last_step, step);
      low = std::min(low, value);
      high = std::max(high, value);
      any = true;
    }
  }
  if (!any) throw Error("a chart needs at least one point; the curves have none");

  const Axis x{axis_ticks(0, last_step), kLeft, kRight}, y{axis_ticks(low, high), kBottom, kTop};
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\">\n"
      "<title>{}</title>\n",
      kWidth, kHeight, kWidth, kHeight, escaped(chart.title));
  svg += kStyle;
  svg += text_at(kLeft, 18, "start", chart.title);
  svg += text_at(kLeft, 36, "start", chart.y_label);
  svg += text_at(kRight, kBottom + 40, "end", "step");
  for (const double tick : y.ticks) {
    svg += line_between(kLeft, y.at(tick), kRight, y.at(tick), "grid");
    svg += text_at(kLeft - 8, y.at(tick) + 4, "end", fmt::format("{:g}", tick));
  }
  for (const double tick : x.ticks) svg += text_at(x.at(tick), kBottom + 20, "middle", fmt::format("{:.7g}", tick));
  double name_y = kTop + 4;
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    const Curve& curve = chart.curves[i];
    svg += draw_curve(curve, x, y, i % kColours);
    svg += line_between(kRight + 12, name_y - 4, kRight + 28, name_y - 4, fmt::format("curve c{}", i % kColours));
    const std::string last = curve.points.empty() ? "" : fmt::format(" {:.4g}", curve.points.back().second);
    svg += text_at(kRight + 34, name_y, "start", curve.name + last);
    name_y += 20;
  }
  return svg + "</svg>\n";
}

}  // namespace frgan
