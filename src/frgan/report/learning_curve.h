// Line charts of one metric over the steps of one or several runs, as SVG without scripts or external resources. Colors
// follow the reader's light or dark theme.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frgan {

struct Curve {
  std::string name;                               // "fr-gan"
  std::vector<std::pair<double, double>> points;  // (step, value) in ascending order of step
  std::vector<double> spread{};                   // half the length of each point's error bar; empty: no error bars
};

struct LearningCurves {
  std::string title;    // "Test error on SVHN, 1,000 labels"
  std::string y_label;  // "test error (%)"
  std::vector<Curve> curves;
  bool zoomed = false;  // learning_curve_figure only: axes start near the first step and the smallest value, not at 0
  std::string x_label = "step";
  bool last_values = true;  // show each curve's last value beside its name
};

// Reads one column of a metrics.jsonl ("test_error", "losses.supervised"), multiplied by `scale`. Lines without a
// number in this column are skipped. Throws an Error if no line has one.
Curve read_curve(const std::filesystem::path& metrics, const std::string& column, const std::string& name,
                 double scale = 1);

// A self-contained SVG file, 720 x 400 pixels, with a legend. Throws an Error if no curve has a point or a value is not
// finite.
//
//   write_file_safely("curves.svg", learning_curve_svg({"Test error", "test error (%)",
//       {read_curve(run / "metrics.jsonl", "test_error", "fr-gan", 100)}}));
std::string learning_curve_svg(const LearningCurves& chart);

// A smaller SVG without legend and style, to be embedded in a page that provides both (classes curve, c0 to c5, grid).
// The y axis is logarithmic if all values are positive and the largest exceeds five times the smallest. An empty curve
// reserves its color, so that the other curves keep theirs. Throws like learning_curve_svg.
std::string learning_curve_figure(const LearningCurves& chart);

// Five to twelve evenly spaced ticks that cover [low, high]; the spacing is 1, 2 or 5 times a power of ten.
std::vector<double> axis_ticks(double low, double high);
// Ticks for a logarithmic axis, 0 < low <= high: powers of ten times {1, 2, 5}, {1, 3} or {1}, whichever first gives at
// most seven ticks.
std::vector<double> logarithmic_ticks(double low, double high);

}  // namespace frgan
