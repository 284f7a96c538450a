#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "frgan/report/html_parts.h"
#include "frgan/report/html_sections.h"
#include "frgan/report/learning_curve.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

using CurvePoints = std::vector<std::pair<double, double>>;

// Thins a curve for drawing: keeps both ends, and the minimum and maximum of each interval, so that peaks survive. The
// curves of a chart share a total number of points, which limits the page size.
CurvePoints visible_points(const CurvePoints& points, size_t runs) {
  constexpr size_t kMax = 200, kMin = 20, kMaxTotal = 4000;
  const size_t limit = std::clamp(kMaxTotal / runs, kMin, kMax);
  if (points.size() <= limit) return points;
  const size_t intervals = limit / 2 - 1, inner = points.size() - 2;
  CurvePoints visible{points.front()};
  for (size_t i = 0; i < intervals; ++i) {
    const auto at = [&](size_t interval) {
      return points.begin() + 1 + static_cast<std::ptrdiff_t>(interval * inner / intervals);
    };
    auto [first, second] = std::ranges::minmax_element(at(i), at(i + 1), {}, &CurvePoints::value_type::second);
    if (second < first) std::swap(first, second);
    visible.push_back(*first);
    if (first != second) visible.push_back(*second);
  }
  visible.push_back(points.back());
  return visible;
}

// A chart's values as a table: one row for each step that any run has, thinned to at most 40 rows. The limit falls with
// the number of runs.
std::string points_table(const std::vector<RunHistory>& runs, const LearningCurves& chart) {
  constexpr size_t kMaxRows = 40, kMinRows = 6, kMaxCells = 800;
  const size_t limit = std::clamp(kMaxCells / runs.size(), kMinRows, kMaxRows);
  std::set<double> all;
  for (const Curve& curve : chart.curves) {
    for (const auto& [step, value] : curve.points) all.insert(step);
  }
  const std::vector<double> steps(all.begin(), all.end());
  HtmlTable table{escaped(fmt::format("{}, {}", chart.title, chart.y_label)), {"step"}, {}, "numbers"};
  for (size_t i = 0; i < runs.size(); ++i) table.header.push_back(run_label(runs, i));
  const size_t rows = std::min(limit, steps.size());
  for (size_t row = 0; row < rows; ++row) {
    const double step = steps[rows == 1 ? 0 : row * (steps.size() - 1) / (rows - 1)];
    table.rows.push_back({grouped(static_cast<int64_t>(step))});
    for (const Curve& curve : chart.curves) {
      const auto point = std::ranges::find(curve.points, step, &std::pair<double, double>::first);
      table.rows.back().push_back(point == curve.points.end() ? "" : fmt::format("{:.4g}", point->second));
    }
  }
  return details_html("Data table", table_html(table));
}

// One chart with a curve for each run; empty if no run has a point. `points(run)` returns (step, value) pairs.
template <class Points>
std::string chart_of(const std::vector<RunHistory>& runs, const std::string& title, const std::string& y_label,
                     const Points& points, bool zoomed = false) {
  LearningCurves chart{title, y_label, {}, zoomed};
  bool any = false;
  for (const RunHistory& run : runs) {
    chart.curves.push_back({run.name, {}});
    for (const auto& [step, value] : points(run)) {
      if (std::isfinite(value)) chart.curves.back().points.emplace_back(static_cast<double>(step), value);
    }
    any = any || !chart.curves.back().points.empty();
  }
  if (!any) return "";
  const std::string numbers = points_table(runs, chart);
  for (Curve& curve : chart.curves) curve.points = visible_points(curve.points, runs.size());
  return fmt::format("<article class=\"panel\"><h3>{}</h3>\n{}{}</article>\n", escaped(title),
                     figure_html(learning_curve_figure(chart), escaped(y_label)), numbers);
}

using Points = std::vector<std::pair<int64_t, double>>;

Points errors_of(const RunHistory& run, EvaluatedImages role) {
  Points points;
  for (const EvaluationRecord& evaluation : run.evaluations) {
    if (evaluation.role == role) points.emplace_back(evaluation.step, 100 * evaluation.error);
  }
  return points;
}

// Empty if there are fewer than six points.
Points second_half(Points points) {
  constexpr size_t kMinPoints = 6;
  if (points.size() < kMinPoints) return {};
  points.erase(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(points.size() / 2));
  return points;
}

Points losses_of(const RunHistory& run, const std::string& name) {
  Points points;
  for (const StepRecord& record : run.steps) {
    for (const auto& [term, value] : record.losses) {
      if (term == name) points.emplace_back(record.step, value);
    }
  }
  return points;
}

template <class Number>
Points numbers_of(const RunHistory& run, const Number& number) {
  Points points;
  for (const StepRecord& record : run.steps) points.emplace_back(record.step, number(record));
  return points;
}

// Legend with one check box for each run. The style sheet (report_style) hides a run's curves when box show-N is off.
std::string legend(const std::vector<RunHistory>& runs) {
  std::string html;
  for (size_t i = 0; i < runs.size(); ++i) {
    html += fmt::format("<label><input type=\"checkbox\" id=\"show-{}\" checked>{}</label>\n", i, run_label(runs, i));
  }
  return fmt::format("<fieldset class=\"legend\"><legend>Visible curves</legend>\n{}</fieldset>\n", html);
}

}  // namespace

std::string error_curves_section(const std::vector<RunHistory>& runs) {
  std::string charts;
  for (const auto& [role, title] :
       {std::pair{EvaluatedImages::kTest, "Test error"}, {EvaluatedImages::kDev, "Development error"}}) {
    charts += chart_of(runs, title, "error (%), averaged weights",
                       [&, role = role](const RunHistory& run) { return errors_of(run, role); });
    charts += chart_of(
        runs, fmt::format("{}, second half", title), "error (%), zoomed axis",
        [&, role = role](const RunHistory& run) { return second_half(errors_of(run, role)); },
        /*zoomed=*/true);
  }
  if (charts.empty()) return "";
  return section_html("curves", "Learning curves", legend(runs) + "<div class=\"grid\">\n" + charts + "</div>\n");
}

std::string loss_curves_section(const std::vector<RunHistory>& runs) {
  std::vector<std::string> names;
  for (const RunHistory& run : runs) {
    if (run.steps.empty()) continue;
    for (const auto& [name, value] : run.steps.back().losses) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::string charts;
  for (const std::string& name : names) {
    charts += chart_of(runs, name, "unweighted loss", [&](const RunHistory& run) { return losses_of(run, name); });
  }
  charts += chart_of(runs, "Learning rate", "learning rate", [](const RunHistory& run) {
    return numbers_of(run, [](const StepRecord& record) { return record.learning_rate; });
  });
  charts += chart_of(runs, "Throughput", "images entering a network per second", [](const RunHistory& run) {
    return numbers_of(run, [](const StepRecord& record) { return record.images_per_second; });
  });
  return charts.empty() ? ""
                        : section_html("losses", "Loss terms, learning rate and throughput",
                                       "<div class=\"grid small\">\n" + charts + "</div>\n");
}

}  // namespace frgan
