#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "frgan/core/run_files.h"
#include "frgan/io/image_file.h"
#include "frgan/report/html_parts.h"
#include "frgan/report/html_sections.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

constexpr double kMinDeviation = 0.01;  // gates with a smaller standard deviation over images count as constant
constexpr size_t kMaxShownClasses = 20;

// Channel indices, sorted by descending mean gate.
std::vector<size_t> by_mean(const GateStatistics& gate) {
  std::vector<size_t> order(gate.mean.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return gate.mean[a] > gate.mean[b]; });
  return order;
}

// Mean gate of each channel with a band of +- one standard deviation.
std::string gate_chart(const GateStatistics& gate, const std::vector<size_t>& order) {
  constexpr double kWidth = 400, kLeft = 34, kRight = 392, kTop = 10, kBottom = 170;
  const auto x = [&](size_t i) {
    return kLeft + (kRight - kLeft) * (static_cast<double>(i) + 0.5) / static_cast<double>(order.size());
  };
  const auto y = [&](double value) { return kBottom - (kBottom - kTop) * std::clamp(value, 0.0, 1.0); };
  std::string line, above, below,
      svg = fmt::format(
          "<svg viewBox=\"0 0 {} 190\" role=\"img\" aria-label=\"Gate mean and standard deviation by channel\">\n",
          kWidth);
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    svg += fmt::format(
        "<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        kLeft, kRight, y(tick), y(tick), kLeft - 6, y(tick) + 4, tick);
  }
  for (size_t i = 0; i < order.size(); ++i) {
    const double mean = gate.mean[order[i]], spread = gate.deviation[order[i]];
    line += fmt::format("{:.1f},{:.1f} ", x(i), y(mean));
    above += fmt::format("{:.1f},{:.1f} ", x(i), y(mean + spread));
    below.insert(0, fmt::format("{:.1f},{:.1f} ", x(i), y(mean - spread)));
  }
  svg += fmt::format("<polygon class=\"band\" points=\"{}{}\"/><polyline class=\"curve gate\" points=\"{}\"/>\n", above,
                     below, line);
  return svg +
         fmt::format(
             "<text x=\"{}\" y=\"186\" text-anchor=\"end\">channels, sorted by descending mean gate</text></svg>\n",
             kRight);
}

// One pixel for each class and channel: class mean minus overall mean, blue if negative, orange if positive.
std::string class_map(const GateStatistics& gate, const std::vector<size_t>& order,
                      const std::vector<std::string>& names) {
  constexpr double kGround[] = {238, 235, 229}, kClosed[] = {0, 114, 178}, kOpen[] = {213, 94, 0};
  double largest = 1e-9;
  for (const auto& row : gate.class_mean) {
    for (const size_t channel : order) largest = std::max(largest, std::abs(row[channel] - gate.mean[channel]));
  }
  std::vector<uint8_t> pixels;
  for (const auto& row : gate.class_mean) {
    for (const size_t channel : order) {
      const double share = (row[channel] - gate.mean[channel]) / largest;
      const auto& end = share < 0 ? kClosed : kOpen;
      for (size_t k = 0; k < 3; ++k) {
        pixels.push_back(static_cast<uint8_t>(std::lround(kGround[k] + std::abs(share) * (end[k] - kGround[k]))));
      }
    }
  }
  const auto rows = static_cast<int64_t>(gate.class_mean.size()), columns = static_cast<int64_t>(order.size());
  std::string labels;
  if (names.size() == gate.class_mean.size() && names.size() <= kMaxShownClasses) {
    for (const std::string& name : names) labels += fmt::format("<span>{}</span>", escaped(name));
  }
  return figure_html(
      fmt::format(
          "<div class=\"map\" style=\"--rows:{}\"><div>{}</div><img alt=\"Class mean minus overall mean of the gate, "
          "by class and channel\" src=\"{}\"></div>\n",
          rows, labels, png_address(encode_png(pixels, rows, columns, 3))),
      fmt::format("Class mean minus overall mean of the gate. Rows: classes; columns: channels in the order above. "
                  "Orange: above the mean; blue: below. Largest difference: {:.3f}.",
                  largest));
}

std::string gate_text(const GateStatistics& gate, const std::vector<size_t>& order) {
  const auto constant = std::count_if(gate.deviation.begin(), gate.deviation.end(),
                                      [](double deviation) { return deviation < kMinDeviation; });
  const double mean = std::accumulate(gate.mean.begin(), gate.mean.end(), 0.0) / static_cast<double>(order.size());
  return fmt::format(
      "<p>{} channels. Mean gate: {:.2f}; channel means range from {:.2f} to {:.2f}. {}</p>\n", order.size(), mean,
      gate.mean[order.back()], gate.mean[order.front()],
      constant == 0
          ? fmt::format("Every gate varies with the image (standard deviation at least {}).", kMinDeviation)
          : fmt::format("<strong>Nearly constant gates: {}</strong> (standard deviation over images below {}).",
                        constant, kMinDeviation));
}

std::string gate_table(const GateStatistics& gate, const std::vector<std::string>& names) {
  HtmlTable table{"Gate by channel; class columns show mean ± standard deviation",
                  {"channel", "mean", "standard deviation"},
                  {},
                  "numbers"};
  const bool with_classes = names.size() == gate.class_mean.size() && names.size() <= kMaxShownClasses;
  for (size_t k = 0; with_classes && k < names.size(); ++k) table.header.push_back(escaped(names[k]));
  for (size_t channel = 0; channel < gate.mean.size(); ++channel) {
    table.rows.push_back({fmt::format("{}", channel), fmt::format("{:.4g}", gate.mean[channel]),
                          fmt::format("{:.4g}", gate.deviation[channel])});
    for (size_t k = 0; with_classes && k < names.size(); ++k) {
      const std::string spread =
          k < gate.class_deviation.size() ? fmt::format(" ± {:.4g}", gate.class_deviation[k][channel]) : std::string();
      table.rows.back().push_back(fmt::format("{:.4g}{}", gate.class_mean[k][channel], spread));
    }
  }
  return details_html("Data table", table_html(table));
}

// The panels of all blocks of a run. `with_tables` is false if tables would make the page too large.
std::string gate_panels(const std::vector<RunHistory>& runs, size_t i, bool with_tables) {
  const std::vector<std::string> names = runs[i].mistakes ? runs[i].mistakes->class_names : std::vector<std::string>();
  std::string html;
  for (const GateStatistics& gate : runs[i].gates) {
    if (gate.mean.empty() || gate.class_mean.empty()) continue;
    const std::vector<size_t> order = by_mean(gate);
    html += fmt::format(
        "<article class=\"panel\"><h3>{} <code>{}</code></h3>\n{}{}{}{}</article>\n", run_label(runs, i),
        escaped(gate.block), gate_text(gate, order),
        figure_html(gate_chart(gate, order), "Mean over all images; the band shows ± one standard deviation."),
        class_map(gate, order, names),
        with_tables
            ? gate_table(gate, names)
            : "<p class=\"soft\">Data table omitted to limit the page size; see gates.json in the run folder.</p>\n");
  }
  return html;
}

// States how many grids and images the page shows; empty if it shows all of them.
std::string shown_part(const RunHistory& run) {
  if (run.samples.size() >= run.grids && run.sample_images == 0) return "";
  return fmt::format("<p class=\"soft\">Shown: {} of {} grids{}. The run folder has all of them.</p>\n",
                     run.samples.size(), run.grids,
                     run.sample_images > 0 ? fmt::format(", the first {} images of each", run.sample_images) : "");
}

}  // namespace

std::string samples_section(const std::vector<RunHistory>& runs) {
  std::string html;
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunHistory& run = runs[i];
    const bool none = run.images_omitted && run.grids > 0;
    if (run.samples.empty() && !none) continue;
    html += fmt::format("<article class=\"panel\"><h3>{}</h3>\n{}<div class=\"samples\">\n", run_label(runs, i),
                        none ? omitted_html("generated images; see the run folder") : shown_part(run));
    for (const SampleGrid& grid : run.samples) {
      html += figure_html(
          fmt::format("<img alt=\"Generated images at step {}\" src=\"{}\">\n", grid.step, png_address(grid.png)),
          fmt::format("step {}", grouped(grid.step)));
    }
    html += "</div></article>\n";
  }
  return section_html("samples", "Generated images", html);
}

std::string gates_section(const std::vector<RunHistory>& runs) {
  constexpr size_t kBytes = 450'000;
  std::vector<RunPanels> panels;
  for (const bool with_tables : {true, false}) {
    panels.clear();
    size_t bytes = 0;
    for (size_t i = 0; i < runs.size(); ++i) {
      const std::string html = gate_panels(runs, i, with_tables);
      if (html.empty()) continue;
      panels.push_back({i, html});
      bytes += html.size();
    }
    if (bytes <= kBytes) break;
  }
  return section_html("gates", "Squeeze-and-excitation gates (feature recalibration)",
                      panels_html(runs, panels, kBytes, kGatesFile));
}

}  // namespace frgan
