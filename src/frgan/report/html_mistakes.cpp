#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "frgan/core/run_files.h"
#include "frgan/io/png_header.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/html_parts.h"
#include "frgan/report/html_sections.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

constexpr size_t kMaxMatrixClasses = 20;  // more classes get a list instead of a matrix

bool any_has_mistakes(const std::vector<RunHistory>& runs) {
  return std::any_of(runs.begin(), runs.end(), [](const RunHistory& run) { return run.mistakes.has_value(); });
}

std::string images_text(const Mistakes& found) {
  return fmt::format("{} {} images", grouped(found.images), title_of(found.role));
}

// Blue diagonal: opacity by the share of the class that is correct. Orange: opacity relative to the largest confusion.
std::string confusion_table(const Mistakes& found) {
  const auto table = confusion(found);
  const size_t classes = table.size();
  int64_t largest = 1;
  for (size_t k = 0; k < classes; ++k) {
    for (size_t j = 0; j < classes; ++j) largest = k == j ? largest : std::max(largest, table[k][j]);
  }
  HtmlTable html{"Rows: labels; columns: predictions", {"label"}, {}, "confusion"};
  for (size_t k = 0; k < classes; ++k) {
    html.header.push_back(escaped(found.class_names[k]));
    html.rows.push_back({escaped(found.class_names[k])});
    for (size_t j = 0; j < classes; ++j) {
      const int64_t count = table[k][j], of = k == j ? std::max<int64_t>(1, found.class_counts[k]) : largest;
      const double share = static_cast<double>(count) / static_cast<double>(of);
      html.rows.back().push_back(count == 0 ? std::string("<span class=\"zero\">0</span>")
                                            : fmt::format("<span class=\"{}\" style=\"--share:{:.2f}\">{}</span>",
                                                          k == j ? "right" : "wrong", 0.06 + 0.5 * share, count));
    }
  }
  return table_html(html);
}

// The 20 most frequent confusions, for datasets whose matrix would be too wide.
std::string confusion_list(const Mistakes& found) {
  std::map<std::pair<int64_t, int64_t>, int64_t> counts;
  for (const Mistake& mistake : found.mistakes) ++counts[{mistake.label, mistake.prediction}];
  std::vector<std::pair<int64_t, std::pair<int64_t, int64_t>>> order;
  order.reserve(counts.size());
  for (const auto& [pair, count] : counts) order.emplace_back(-count, pair);
  std::sort(order.begin(), order.end());
  HtmlTable html{"Most frequent confusions", {"label", "prediction", "images"}, {}, "numbers"};
  for (const auto& [count, pair] : std::span(order).first(std::min(order.size(), kMaxMatrixClasses))) {
    html.rows.push_back({escaped(found.class_names[static_cast<size_t>(pair.first)]),
                         escaped(found.class_names[static_cast<size_t>(pair.second)]), grouped(-count)});
  }
  return table_html(html);
}

// One cell of the run's grid. The page contains the grid once; each figure refers to it with its own view box.
std::string mistake_figure(const Mistakes& found, const Mistake& mistake, size_t cell, int64_t columns, int64_t size,
                           size_t run) {
  const int64_t step = size + kGridGap, place = static_cast<int64_t>(cell);
  const std::string& label = found.class_names[static_cast<size_t>(mistake.label)];
  const std::string& prediction = found.class_names[static_cast<size_t>(mistake.prediction)];
  const std::string name = mistake.file.substr(mistake.file.rfind('/') + 1);
  const std::string file =
      name.empty() ? ""
                   : fmt::format("<span class=\"file\" title=\"{}\">{}</span>", escaped(mistake.file), escaped(name));
  return fmt::format(
      "<figure class=\"mistake\"><svg viewBox=\"{} {} {} {}\" role=\"img\" aria-label=\"image {}\"><use "
      "href=\"#mistakes-{}\"/></svg><figcaption><span class=\"truth\">{}</span> → <strong>{}</strong> <span "
      "class=\"soft\">{:.0f} %</span>{}</figcaption></figure>\n",
      place % columns * step, place / columns * step, size, size, mistake.row, run, escaped(label), escaped(prediction),
      std::floor(100 * mistake.probability), file);
}

std::string mistake_grid(const RunHistory& run, size_t number) {
  const Mistakes& found = *run.mistakes;
  const PngHeader header = read_png_header(bytes_of(run.mistakes_png), run.name);
  const int64_t columns = std::min(kGridColumns, static_cast<int64_t>(run.shown_mistakes));
  const int64_t size = (header.width + kGridGap) / columns - kGridGap;
  std::string html = fmt::format(
      "<svg class=\"store\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs><image id=\"mistakes-{}\" width=\"{}\" "
      "height=\"{}\" href=\"{}\"/></defs></svg>\n<div class=\"mistakes\">\n",
      number, header.width, header.height, png_address(run.mistakes_png));
  for (size_t cell = 0; cell < run.shown_mistakes; ++cell) {
    const auto mistake = std::ranges::find(found.mistakes, found.shown[cell], &Mistake::row);
    html += mistake_figure(found, *mistake, cell, columns, size, number);
  }
  return html + "</div>\n";
}

}  // namespace

std::string classes_section(const std::vector<RunHistory>& runs) {
  if (!any_has_mistakes(runs)) return "";
  constexpr size_t kMaxCells = 1500;
  HtmlTable table{"Error by class (%)", {"class"}, {}, "classes"};
  std::vector<std::string> names;
  std::map<std::string, double> worst;
  double highest = 1e-9;
  for (const RunHistory& run : runs) {
    if (!run.mistakes) continue;
    const std::vector<ErrorCount> counts = score(*run.mistakes).classes;
    for (size_t k = 0; k < counts.size(); ++k) {
      const std::string& name = run.mistakes->class_names[k];
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      if (counts[k].images > 0) worst[name] = std::max(worst[name], counts[k].error());
      highest = std::max(highest, worst[name]);
    }
  }
  std::string rest;
  if (const size_t rows = std::max<size_t>(1, kMaxCells / runs.size()); names.size() > rows) {
    std::ranges::stable_sort(names, std::ranges::greater(), [&](const std::string& name) { return worst[name]; });
    rest = omitted_html(fmt::format("{} of {} classes (those with the lowest maximum error over the runs)",
                                    names.size() - rows, names.size()));
    names.resize(rows);
  }
  for (const std::string& name : names) table.rows.push_back({escaped(name)});
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].mistakes) continue;
    table.header.push_back(run_label(runs, i));
    const Classification result = score(*runs[i].mistakes);
    for (size_t row = 0; row < names.size(); ++row) {
      const auto& own = runs[i].mistakes->class_names;
      const auto at = static_cast<size_t>(std::find(own.begin(), own.end(), names[row]) - own.begin());
      if (at == own.size() || result.classes[at].images == 0) {
        table.rows[row].emplace_back("-");
        continue;
      }
      const ErrorCount& count = result.classes[at];
      table.rows[row].push_back(fmt::format(
          "<span class=\"bar {}\" style=\"--size:{:.1f}%\" title=\"{} of {} wrong; 95 % interval {:.2f} to {:.2f} %\">"
          "<span>{:.2f}</span></span>",
          colour_class(i), 100 * count.error() / highest, count.wrong, count.images, 100 * count.interval().low,
          100 * count.interval().high, 100 * count.error()));
    }
  }
  return section_html("classes", "Error by class", table_html(table) + rest);
}

std::string confusion_section(const std::vector<RunHistory>& runs) {
  constexpr size_t kBytes = 300'000;
  std::vector<RunPanels> panels;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].mistakes) continue;
    const Mistakes& found = *runs[i].mistakes;
    panels.push_back({i, fmt::format("<article class=\"panel\"><h3>{}</h3>\n<p class=\"soft\">{}</p>\n{}</article>\n",
                                     run_label(runs, i), images_text(found),
                                     found.class_names.size() > kMaxMatrixClasses ? confusion_list(found)
                                                                                  : confusion_table(found))});
  }
  return section_html("confusion", "Confusion matrix", panels_html(runs, panels, kBytes, kMistakesFile));
}

std::string mistakes_section(const std::vector<RunHistory>& runs) {
  std::string html;
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunHistory& run = runs[i];
    if (!run.mistakes) continue;
    html += fmt::format("<article class=\"panel\"><h3>{}</h3>\n<p>{} of {} are misclassified", run_label(runs, i),
                        grouped(static_cast<int64_t>(run.mistakes->mistakes.size())), images_text(*run.mistakes));
    const size_t all = run.mistakes->shown.size();
    if (!run.mistakes_png.empty()) {
      html += fmt::format(
          ". Shown: {} with the highest predicted probability{}, as label → prediction, probability.</p>\n{}",
          run.shown_mistakes,
          run.shown_mistakes < all ? fmt::format(" ({} in the run folder has {})", kMistakesImage, all) : "",
          mistake_grid(run, i));
    } else {
      html += ".</p>\n";
      if (run.images_omitted && all > 0)
        html += omitted_html(fmt::format("mistake images; see {} in the run folder", kMistakesImage));
    }
    html += "</article>\n";
  }
  return section_html("mistakes", "Most confident mistakes", html);
}

}  // namespace frgan
