#include "frgan/report/learning_curve.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/json_lines.h"
#include "frgan/report/html_parts.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

// Size of the image and edges of the plot area, in pixels.
struct Frame {
  double width, height, left, right, top, bottom;
};
constexpr Frame kFile{720, 400, 64, 560, 44, 344};    // room for curve names to the right of the plot
constexpr Frame kFigure{400, 250, 56, 388, 10, 216};  // the page has its own legend; text stays readable on a phone

// The Okabe-Ito palette, which is safe for color-blind readers; black turns white in dark mode.
constexpr std::string_view kCurveStyle = R"(<style>
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

// Maps values between the first and the last tick linearly or logarithmically to pixels `from` to `to`.
struct Axis {
  std::vector<double> ticks;
  double from, to;
  bool logarithmic = false;
  double at(double value) const {
    const auto place = [this](double number) { return logarithmic ? std::log10(number) : number; };
    return from + (place(value) - place(ticks.front())) / (place(ticks.back()) - place(ticks.front())) * (to - from);
  }
};

// The range that the axes must cover, error bars included.
struct Extent {
  double first_step = INFINITY, last_step = 0, least = INFINITY, high = 0;
  double low() const { return std::min(0.0, least); }  // lower end of an axis that includes 0
};

Extent extent_of(const LearningCurves& chart) {
  Extent extent;
  for (const Curve& curve : chart.curves) {
    for (const auto& [step, value] : curve.points) {
      if (!std::isfinite(step) || !std::isfinite(value)) {
        throw Error(fmt::format("curve '{}': non-finite value at step {}", curve.name, step));
      }
      extent.first_step = std::min(extent.first_step, step);
      extent.last_step = std::max(extent.last_step, step);
      extent.high = std::max(extent.high, value);
      extent.least = std::min(extent.least, value);
    }
    for (size_t i = 0; i < curve.spread.size(); ++i) {
      const auto& [step, value] = curve.points.at(i);
      if (!std::isfinite(curve.spread[i])) {
        throw Error(fmt::format("curve '{}': non-finite error bar at step {}", curve.name, step));
      }
      extent.high = std::max(extent.high, value + curve.spread[i]);
      extent.least = std::min(extent.least, value - curve.spread[i]);
    }
  }
  if (std::isinf(extent.least)) throw Error("empty chart: no curve has a point");
  return extent;
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, escaped(text));
}

std::string line_between(double x1, double y1, double x2, double y2, std::string_view classes) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                     classes);
}

std::string step_text(double step) {
  return step >= 1000 ? fmt::format("{:g}k", step / 1000) : fmt::format("{:g}", step);
}

std::string draw_curve(const Curve& curve, const Axis& x, const Axis& y, size_t number) {
  std::string points;
  for (const auto& [step, value] : curve.points) {
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x.at(step), y.at(value));
  }
  std::string bars;
  for (size_t i = 0; i < curve.spread.size(); ++i) {
    const auto& [step, value] = curve.points[i];
    bars += line_between(x.at(step), y.at(value - curve.spread[i]), x.at(step), y.at(value + curve.spread[i]),
                         fmt::format("curve c{}", number % kColours));
  }
  // The square cap makes a curve with a single point visible.
  return bars +
         fmt::format(
             "<polyline class=\"curve c{} r{}\" stroke-linecap=\"square\" points=\"{}\"><title>{}</title></polyline>\n",
             number % kColours, number, points, escaped(curve.name));
}

// Grid lines, tick labels and curves.
std::string draw_plot(const LearningCurves& chart, const Axis& x, const Axis& y) {
  std::string svg;
  for (const double tick : y.ticks) {
    svg += line_between(x.from, y.at(tick), x.to, y.at(tick), "grid");
    svg += text_at(x.from - 8, y.at(tick) + 4, "end", fmt::format("{:g}", tick));
  }
  for (const double tick : x.ticks) svg += text_at(x.at(tick), y.from + 20, "middle", step_text(tick));
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    if (!chart.curves[i].points.empty()) svg += draw_curve(chart.curves[i], x, y, i);
  }
  return svg;
}

// The value at a dotted path: "losses.supervised". Null if it is missing.
const Json* find_column(const Json& line, std::string_view column) {
  const Json* value = &line;
  while (value != nullptr && !column.empty()) {
    const std::string_view key = column.substr(0, column.find('.'));
    column.remove_prefix(std::min(key.size() + 1, column.size()));
    value = value->find(key);
  }
  return value;
}

}  // namespace

Curve read_curve(const std::filesystem::path& metrics, const std::string& column, const std::string& name,
                 double scale) {
  Curve curve{name, {}};
  for (const Json& line : read_json_lines(metrics).objects) {
    const Json* const value = find_column(line, column);
    const Json* const step = line.find("step");
    if (value == nullptr || !value->is_number() || step == nullptr) continue;
    curve.points.emplace_back(step->get<double>(), value->get<double>() * scale);
  }
  if (curve.points.empty()) {
    throw Error(fmt::format("{}: no line has a number in column '{}'; see frgan/report/run_log.h for the columns",
                            metrics.string(), column));
  }
  return curve;
}

std::vector<double> axis_ticks(double low, double high) {
  constexpr double kMinIntervals = 4;
  if (high <= low) high = low + 1;
  const double power = std::pow(10, std::floor(std::log10((high - low) / kMinIntervals)));
  double spacing = power;
  for (const double factor : {2.0, 5.0}) {
    if ((high - low) / (factor * power) >= kMinIntervals) spacing = factor * power;
  }
  std::vector<double> ticks;
  // Multiply instead of adding repeatedly: rounding errors would accumulate.
  const double first = std::floor(low / spacing);
  do {
    ticks.push_back((first + static_cast<double>(ticks.size())) * spacing);
  } while (ticks.back() < high - 1e-9 * spacing);
  return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
  constexpr size_t kMaxTicks = 7;
  for (const std::vector<double>& factors : {std::vector<double>{1, 2, 5}, {1, 3}, {1}}) {
    std::vector<double> ticks;
    for (auto power = static_cast<int>(std::floor(std::log10(low))); ticks.empty() || ticks.back() < high; ++power) {
      for (const double factor : factors) {
        const double tick = factor * std::pow(10, power);
        if (ticks.size() == 1 && tick <= low) ticks.clear();
        if (ticks.empty() || ticks.back() < high) ticks.push_back(tick);
      }
    }
    if (ticks.size() <= kMaxTicks || factors.size() == 1) return ticks;
  }
  return {};
}

std::string learning_curve_svg(const LearningCurves& chart) {
  const Extent extent = extent_of(chart);
  const Frame& frame = kFile;
  const Axis x{axis_ticks(0, extent.last_step), frame.left, frame.right};
  const Axis y{axis_ticks(extent.low(), extent.high), frame.bottom, frame.top};
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" role=\"img\">\n"
      "<title>{}</title>\n",
      frame.width, frame.height, frame.width, frame.height, escaped(chart.title));
  svg += kCurveStyle;
  svg += text_at(frame.left, 18, "start", chart.title);
  svg += text_at(frame.left, 36, "start", chart.y_label);
  svg += text_at(frame.right, frame.bottom + 40, "end", chart.x_label);
  svg += draw_plot(chart, x, y);
  double name_y = frame.top + 4;
  for (size_t i = 0; i < chart.curves.size(); ++i) {
    const Curve& curve = chart.curves[i];
    svg += line_between(frame.right + 12, name_y - 4, frame.right + 28, name_y - 4,
                        fmt::format("curve c{}", i % kColours));
    const bool with_last = chart.last_values && !curve.points.empty();
    const std::string last = with_last ? fmt::format(" {:.4g}", curve.points.back().second) : "";
    svg += text_at(frame.right + 34, name_y, "start", curve.name + last);
    name_y += 20;
  }
  return svg + "</svg>\n";
}

std::string learning_curve_figure(const LearningCurves& chart) {
  const Extent extent = extent_of(chart);
  constexpr double kSpread = 5;  // ratio above which a linear axis hides changes of small values
  const bool logarithmic = !chart.zoomed && extent.least > 0 && extent.high > kSpread * extent.least;
  const Frame& frame = kFigure;
  const Axis x{axis_ticks(chart.zoomed ? extent.first_step : 0, extent.last_step), frame.left, frame.right};
  const Axis y{logarithmic ? logarithmic_ticks(extent.least, extent.high)
                           : axis_ticks(chart.zoomed ? extent.least : extent.low(), extent.high),
               frame.bottom, frame.top, logarithmic};
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}{}</svg>\n", frame.width,
                     frame.height,
                     escaped(fmt::format("{}: {} by {}{}", chart.title, chart.y_label, chart.x_label,
                                         logarithmic ? ", logarithmic axis" : "")),
                     draw_plot(chart, x, y), text_at(frame.right, frame.height - 3, "end", chart.x_label));
}

}  // namespace frgan
