#include "frgan/tables/noise_figure.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/metrics/statistics.h"
#include "frgan/report/learning_curve.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

constexpr double kPanelWidth = 720, kPanelHeight = 400;  // size of a learning curve in pixels

// Mean accuracy (%) over seeds at each evaluation, by epoch.
Curve accuracy_curve(const std::vector<const RunRecord*>& records, const std::string& name) {
  Curve curve{name, {}};
  if (records.empty()) return curve;
  for (size_t i = 0; i < records.front()->evaluations.size(); ++i) {
    std::vector<double> accuracies;
    for (const RunRecord* record : records) {
      if (i < record->evaluations.size()) accuracies.push_back(100 * (1 - record->evaluations[i].second));
    }
    const auto step = static_cast<double>(records.front()->evaluations[i].first);
    curve.points.emplace_back(step / static_cast<double>(records.front()->steps_per_epoch), mean(accuracies));
  }
  return curve;
}

// The noise level of a section, 0 to 1.
double level_of(const PlanSection& section) {
  for (const Setting& setting : section.settings) {
    if (setting.name == "label-noise") return setting.value.get<double>();
  }
  throw usage_error("show = \"noise\": the plan must vary label-noise");
}

// Name of the label noise: "wrong", "random" or, for matrix:FILE, "redrawn".
std::string kind_of(const PlanResults& results) {
  const std::string kind = results.runs().front().options.at("label-noise-kind").get<std::string>();
  return kind.starts_with("matrix:") ? "redrawn" : kind;
}

LearningCurves panel(const PlanResults& results, size_t row) {
  const Plan& plan = results.plan();
  LearningCurves chart{
      fmt::format("({}) {}", static_cast<char>('a' + row), plan.rows[row].name), "test accuracy (%)", {}};
  chart.x_label = "epoch";
  const std::string kind = kind_of(results);
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    chart.curves.push_back(accuracy_curve(results.of(row, section),
                                          fmt::format("{:.0f} % {}:", 100 * level_of(plan.sections[section]), kind)));
  }
  return chart;
}

LearningCurves final_panel(const PlanResults& results) {
  const Plan& plan = results.plan();
  LearningCurves chart{fmt::format("({}) last weights", static_cast<char>('a' + plan.rows.size())),
                       "test accuracy (%), mean and standard deviation over seeds",
                       {}};
  chart.x_label = fmt::format("{} labels (%)", kind_of(results));
  chart.last_values = false;
  for (size_t row = 0; row < plan.rows.size(); ++row) {
    Curve curve{plan.rows[row].name, {}};
    for (size_t section = 0; section < plan.sections.size(); ++section) {
      std::vector<double> accuracies;
      for (const RunRecord* record : results.of(row, section)) accuracies.push_back(100 * (1 - record->error()));
      if (accuracies.empty()) continue;
      curve.points.emplace_back(100 * level_of(plan.sections[section]), mean(accuracies));
      const double spread = standard_deviation(accuracies);
      curve.spread.push_back(std::isfinite(spread) ? spread : 0);
    }
    chart.curves.push_back(std::move(curve));
  }
  return chart;
}

bool has_points(const LearningCurves& chart) {
  return std::any_of(chart.curves.begin(), chart.curves.end(),
                     [](const Curve& curve) { return !curve.points.empty(); });
}

// The number of seeds per curve: "1 seed", "2 seeds" or "1 to 2 seeds".
std::string seeds_text(const PlanResults& results) {
  std::set<size_t> counts;
  for (const PlannedRun& run : results.runs()) counts.insert(results.of(run.row, run.section).size());
  counts.erase(0);
  const size_t low = *counts.begin(), high = *counts.rbegin();
  if (low == high) return counted(static_cast<int64_t>(low), "seed");
  return fmt::format("{} to {} seeds", low, high);
}

// Turns a drawing into a nested <svg> element at (x, y).
std::string placed(const std::string& svg, double x, double y) {
  constexpr std::string_view kBegin = "<svg ";
  return fmt::format("<svg x=\"{}\" y=\"{}\" {}", x, y, svg.substr(kBegin.size()));
}

}  // namespace

std::string noise_figure(const PlanResults& results) {
  std::vector<LearningCurves> panels;
  for (size_t row = 0; row < results.plan().rows.size(); ++row) panels.push_back(panel(results, row));
  panels.push_back(final_panel(results));
  if (!has_points(panels.back())) throw Error(fmt::format("{}: no finished run", results.plan().name));
  constexpr size_t kColumns = 2;
  const size_t lines = (panels.size() + kColumns - 1) / kColumns;
  constexpr double kNoteHeight = 24, kMargin = 16;
  std::vector<std::string> notes = results.notes();
  notes.insert(notes.begin(), fmt::format("Each curve and point is a mean over {}.", seeds_text(results)));
  const double width = kColumns * kPanelWidth, panels_height = static_cast<double>(lines) * kPanelHeight;
  const double height = panels_height + static_cast<double>(notes.size()) * kNoteHeight + kMargin;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" "
      "aria-label=\"{2}\">\n<title>{2}</title>\n",
      width, height, escaped(results.plan().title));
  for (size_t i = 0; i < panels.size(); ++i) {
    if (!has_points(panels[i])) continue;
    const size_t column = i % kColumns, line = i / kColumns;
    svg += placed(learning_curve_svg(panels[i]), static_cast<double>(column) * kPanelWidth,
                  static_cast<double>(line) * kPanelHeight);
  }
  for (size_t i = 0; i < notes.size(); ++i) {
    const double y = panels_height + static_cast<double>(i + 1) * kNoteHeight;
    svg += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kMargin, y, escaped(notes[i]));
  }
  return svg + "</svg>\n";
}

}  // namespace frgan
