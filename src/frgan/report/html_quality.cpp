#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "frgan/core/run_files.h"
#include "frgan/report/html_parts.h"
#include "frgan/report/html_sections.h"
#include "frgan/report/learning_curve.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

// "68.10 %", or with a mark if the network is not significantly better.
std::string baseline_cell(const Quality& quality, size_t index) {
  if (index >= quality.baselines.size()) return "-";
  const Baseline& baseline = quality.baselines[index];
  return percent(baseline.error) + (baseline.is_beaten ? "" : " <strong title=\"not beaten\">(!)</strong>");
}

std::string quality_table(const std::vector<RunHistory>& runs) {
  HtmlTable table{"Errors of baselines, and how far the confidence can be trusted",
                  {"run", "error", "guessing", "most frequent class", "linear on 8x8 pixels", "macro F1", "top k",
                   "calibration error", "before", "temperature", "AUROC"},
                  {},
                  "numbers"};
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].quality) continue;
    const Quality& quality = *runs[i].quality;
    std::vector<std::string> row{run_label(runs, i), percent(quality.count.error())};
    for (size_t k = 0; k < 3; ++k) row.push_back(baseline_cell(quality, k));
    const bool is_fitted = quality.calibration.is_fitted();
    row.push_back(percent(quality.macro_f1));
    row.push_back(quality.top > 1 ? fmt::format("{} ({})", percent(1 - quality.top_error), quality.top) : "-");
    row.push_back(percent(quality.calibrated.error));
    row.push_back(is_fitted ? percent(quality.uncalibrated.error) : "-");
    row.push_back(is_fitted ? fmt::format("{:.2f}", quality.calibration.temperature) : "not calibrated");
    row.push_back(std::isfinite(quality.auroc) ? fmt::format("{:.3f}", quality.auroc) : "-");
    table.rows.push_back(std::move(row));
  }
  return table_html(table) +
         "<p class=\"soft\">(!): the run's error is not lower, with 95 % confidence. Top k: share of images whose "
         "label "
         "is among the k most probable classes. AUROC: probability that a correct prediction has a higher confidence "
         "than a wrong one.</p>\n";
}

// A square of 100 x 100 units with the accuracy over the confidence.
constexpr double kLeft = 40, kTop = 10, kSide = 240;

double x_of(double share) {
  return kLeft + kSide * share;
}

double y_of(double share) {
  return kTop + kSide * (1 - share);
}

std::string reliability_curve(const std::vector<ReliabilityBin>& bins, std::string_view classes) {
  std::string points, marks;
  int64_t most = 1;
  for (const ReliabilityBin& bin : bins) most = std::max(most, bin.images);
  for (const ReliabilityBin& bin : bins) {
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x_of(bin.confidence), y_of(bin.accuracy));
    marks += fmt::format(
        "<circle class=\"{}\" fill=\"currentColor\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"><title>{} images: "
        "confidence "
        "{:.1f} %, accuracy {:.1f} %</title></circle>\n",
        classes, x_of(bin.confidence), y_of(bin.accuracy),
        1.5 + 4.5 * std::sqrt(static_cast<double>(bin.images) / static_cast<double>(most)), bin.images,
        100 * bin.confidence, 100 * bin.accuracy);
  }
  return fmt::format("<polyline class=\"curve {}\" points=\"{}\"/>\n{}", classes, points, marks);
}

std::string reliability_diagram(const Quality& quality) {
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Accuracy by confidence\">\n",
                                kLeft + kSide + 10, kTop + kSide + 40);
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x_of(0),
                       y_of(tick), x_of(1), y_of(tick));
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>\n", kLeft - 6, y_of(tick) + 4,
                       100 * tick);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g}</text>\n", x_of(tick), y_of(0) + 16,
                       100 * tick);
  }
  svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x_of(0),
                     y_of(0), x_of(1), y_of(1));
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">confidence (%)</text>\n", x_of(0.5),
                     y_of(0) + 34);
  if (quality.calibration.is_fitted()) svg += reliability_curve(quality.uncalibrated.bins, "c1");
  return svg + reliability_curve(quality.calibrated.bins, "c0") + "</svg>\n";
}

std::string calibration_panel(const std::vector<RunHistory>& runs, size_t i) {
  const Quality& quality = *runs[i].quality;
  const std::string text =
      quality.calibration.is_fitted()
          ? fmt::format("Blue: with temperature {:.2f}, fitted to {} {}; calibration error {}. Orange: without it; {}.",
                        quality.calibration.temperature, grouped(quality.calibration_images),
                        escaped(quality.calibration.images), percent(quality.calibrated.error),
                        percent(quality.uncalibrated.error))
          : fmt::format("Not calibrated, for lack of development images; calibration error {}.",
                        percent(quality.uncalibrated.error));
  return fmt::format(
      "<article class=\"panel\"><h3>{}</h3>\n{}</article>\n", run_label(runs, i),
      figure_html(reliability_diagram(quality),
                  fmt::format("Accuracy (%) by confidence, on {} {} images. On the diagonal, both agree. The area of a "
                              "mark grows with its images. {}",
                              grouped(quality.count.images), title_of(quality.role), text)));
}

std::string risk_coverage_panel(const std::vector<RunHistory>& runs) {
  LearningCurves chart{
      "Error by coverage", "error of the accepted images (%)", {}, /*zoomed=*/true, "accepted images (%)"};
  for (const RunHistory& run : runs) {
    chart.curves.push_back({run.name, {}});
    if (!run.quality) continue;
    for (const CoveragePoint& point : run.quality->risk_coverage)
      chart.curves.back().points.emplace_back(100 * point.coverage, 100 * point.risk);
  }
  if (std::ranges::all_of(chart.curves, [](const Curve& curve) { return curve.points.empty(); })) return "";
  return fmt::format(
      "<article class=\"panel\"><h3>{}</h3>\n{}</article>\n", chart.title,
      figure_html(learning_curve_figure(chart),
                  "Error (%) of the most confident images, by their share of all images. "
                  "<code>frgan predict --threshold</code> and <code>--max-error</code> choose a point."));
}

}  // namespace

std::string quality_section(const std::vector<RunHistory>& runs) {
  constexpr size_t kBytes = 200'000;
  std::vector<RunPanels> panels;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].quality) panels.push_back({i, calibration_panel(runs, i)});
  }
  if (panels.empty()) return "";
  panels.front().html = risk_coverage_panel(runs) + panels.front().html;
  return section_html("quality", "Baselines and confidence",
                      quality_table(runs) + panels_html(runs, panels, kBytes, kQualityFile));
}

}  // namespace frgan
