// A line chart of one metric over the steps of one or several runs, as an SVG file without script or outside parts; its
// colours follow the reader's light or dark setting.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frgan {

struct Curve {
  std::string name;                               // "fr-gan"
  std::vector<std::pair<double, double>> points;  // (step, value), by step
  std::vector<double> spread{};                   // of each value: half of its error bar; empty: no bars
};

struct LearningCurves {
  std::string title;    // "Test error on SVHN, 1,000 labels"
  std::string y_label;  // "test error (%)"
  std::vector<Curve> curves;
  bool zoomed = false;  // a figure's axes begin near the first step and the least value, not at 0
  std::string x_label = "step";
  bool last_values = true;  // beside the names: where x is time they are what came out
};

// The lines of a metrics.jsonl that have a number under `column` ("test_error", "losses.supervised"), times `scale`.
// Throws an Error where there is none, for it would be an empty chart.
Curve read_curve(const std::filesystem::path& metrics, const std::string& column, const std::string& name,
                 double scale = 1);

// Throws an Error when no curve has a point, or a number is not finite.
//
//   write_file_safely("curves.svg", learning_curve_svg({"Test error", "test error (%)",
//       {read_curve(run / "metrics.jsonl", "test_error", "fr-gan", 100)}}));
std::string learning_curve_svg(const LearningCurves& chart);

// The same inside of a page: without names and style, for the page has them (.curve, .c0 to .c5, .grid), and smaller.
// Where the values span more than five times the least of them, the axis is logarithmic. Curves may be empty, which
// keeps the others' colours.
std::string learning_curve_figure(const LearningCurves& chart);

// Round numbers, 1, 2 or 5 times a power of ten apart, from at most `low` to at least `high`; five to twelve of them.
std::vector<double> axis_ticks(double low, double high);
// The same for a logarithmic axis, of numbers above 0: 1, 2 and 5, or 1 and 3, or 1 times powers of ten.
std::vector<double> logarithmic_ticks(double low, double high);

}  // namespace frgan
