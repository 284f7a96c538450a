#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "frgan/metrics/statistics.h"
#include "frgan/report/html_parts.h"
#include "frgan/report/html_sections.h"
#include "frgan/report/learning_curve.h"
#include "frgan/report/markup.h"
#include "frgan/report/progress.h"

namespace frgan {
namespace {

std::string option_of(const RunHistory& run, std::string_view name) {
  for (const auto& [option, value] : run.options) {
    if (option == name) return value;
  }
  return "";
}

std::string method_of(const RunHistory& run) {
  return run.summary.method.empty() ? option_of(run, "method") : run.summary.method;
}

double tflop_of(const RunHistory& run) {
  return run.summary.gflop_per_step * static_cast<double>(run.summary.steps) / 1000;
}

// "26,200 steps", or "4,000 of 26,200 steps".
std::string steps_text(const RunHistory& run) {
  const std::string planned = run.finished ? "" : option_of(run, "steps");
  const bool known = !planned.empty() && planned.size() < 12 && planned != "0" &&
                     planned.find_first_not_of("0123456789") == std::string::npos;
  return grouped(run.summary.steps) + (known ? " of " + grouped(std::stoll(planned)) : "") + " steps";
}

std::string card(const std::vector<RunHistory>& runs, size_t i) {
  const RunHistory& run = runs[i];
  const auto error = final_error(run);
  std::string html = fmt::format("<li class=\"card\"><h3>{}</h3>\n", run_label(runs, i));
  if (error) {
    html +=
        fmt::format("<p class=\"number\">{}</p>\n<p>{} error, 95 % interval {:.2f} to {}</p>\n", percent(error->error),
                    name_of(error->role), 100 * error->error_low, percent(error->error_high));
  } else {
    html += fmt::format("<p class=\"number none\">{}</p>\n", run.finished ? "no error recorded" : "not finished");
  }
  std::vector<std::string> facts{escaped(method_of(run))};
  if (run.labels > 0) facts.push_back(grouped(run.labels) + " labels");
  facts.push_back(steps_text(run));
  if (tflop_of(run) > 0) facts.push_back(fmt::format("{:.4g} TFLOP", tflop_of(run)));
  facts.push_back(duration_text(run.summary.wall_seconds));
  html += fmt::format("<p class=\"soft\">{}</p>\n", fmt::join(facts, " · "));
  if (run.quality) {
    for (const std::string& warning : run.quality->warnings)
      html += fmt::format("<p class=\"note\" role=\"note\">Warning: {}.</p>\n", escaped(warning));
  }
  for (const std::string& note : run.notes) html += fmt::format("<p class=\"note\">{}</p>\n", escaped(note));
  return html + "</li>\n";
}

std::string summary_table(const std::vector<RunHistory>& runs) {
  HtmlTable table{
      "Results; the median is over the last 20 evaluations",
      {"run", "method", "data", "labels", "steps", "TFLOP", "time", "final error", "95 % interval", "median", "images"},
      {},
      "numbers"};
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunHistory& run = runs[i];
    const auto error = final_error(run);
    const double median = late_median(run);
    table.rows.push_back({run_label(runs, i), escaped(method_of(run)), escaped(run.summary.data),
                          run.labels > 0 ? grouped(run.labels) : "-", grouped(run.summary.steps),
                          tflop_of(run) > 0 ? fmt::format("{:.4g}", tflop_of(run)) : "-",
                          duration_text(run.summary.wall_seconds),
                          error          ? percent(error->error)
                          : run.finished ? "-"
                                         : "not finished",
                          error ? fmt::format("{:.2f} to {}", 100 * error->error_low, percent(error->error_high)) : "-",
                          std::isfinite(median) ? percent(median) : "-",
                          error ? fmt::format("{} {}", grouped(error->images), name_of(error->role)) : "-"});
  }
  return table_html(table);
}

// Each run's confidence interval as a bar on a common axis. Positions are in percent, so the text size does not scale.
std::string interval_chart(const std::vector<RunHistory>& runs) {
  double low = 1, high = 0;
  for (const RunHistory& run : runs) {
    if (const auto error = final_error(run)) {
      low = std::min(low, error->error_low);
      high = std::max(high, error->error_high);
    }
  }
  if (high < low) return "";
  const std::vector<double> ticks = axis_ticks(100 * low, 100 * high);
  const auto place = [&](double share) { return 100 * (100 * share - ticks.front()) / (ticks.back() - ticks.front()); };
  std::string grid, rows;
  for (const double tick : ticks) grid += fmt::format("<i style=\"left:{:.2f}%\"></i>", place(tick / 100));
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto error = final_error(runs[i]);
    if (!error) continue;
    rows += fmt::format(
        "<div class=\"interval\" role=\"listitem\"><span>{}</span><span class=\"track\" aria-hidden=\"true\">{}<b "
        "class=\"{}\" "
        "style=\"left:{:.2f}%;width:{:.2f}%\"></b><u class=\"{}\" style=\"left:{:.2f}%\"></u></span><span "
        "class=\"value\">{}</span></div>\n",
        run_label(runs, i), grid, colour_class(i), place(error->error_low),
        place(error->error_high) - place(error->error_low), colour_class(i), place(error->error),
        percent(error->error));
  }
  std::string axis;
  for (const double tick : ticks)
    axis += fmt::format("<span style=\"left:{:.2f}%\">{:g}</span>", place(tick / 100), tick);
  return fmt::format(
      "<figure class=\"wide\"><div role=\"list\" aria-label=\"Final errors\">\n{}</div>\n<div class=\"interval axis\" "
      "aria-hidden=\"true\"><span></span><span class=\"track\">{}</span><span></span></div>\n"
      "<figcaption>Final errors in percent, with 95 % Wilson intervals. The intervals reflect sampling of the "
      "evaluated images, not variation between seeds. For runs on the same images, McNemar's test is more "
      "sensitive.</figcaption></figure>\n",
      rows, axis);
}

// Mean and standard deviation of each group of runs whose options differ only in seeds and --data-dir.
std::string repeated_runs(const std::vector<RunHistory>& runs) {
  constexpr std::array<std::string_view, 4> kIgnored = {"seed", "split-seed", "label-noise-seed", "data-dir"};
  const auto may_differ = [&](const std::string& name) { return std::ranges::find(kIgnored, name) != kIgnored.end(); };
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (!final_error(runs[i]) || runs[i].options.empty()) continue;
    std::string key = fmt::format("{} recipe {}", runs[i].summary.data_digest, runs[i].summary.recipe);
    for (const auto& [name, value] : runs[i].options) {
      if (!may_differ(name)) key += fmt::format("\n{}={}", name, value);
    }
    groups[key].push_back(i);
  }
  std::string html;
  for (const auto& [key, members] : groups) {
    if (members.size() < 2) continue;
    std::vector<double> errors;
    std::vector<std::string> names;
    names.reserve(members.size());
    for (const size_t i : members) {
      errors.push_back(final_error(runs[i])->error);
      names.push_back(run_label(runs, i));
    }
    html += fmt::format(
        "<p>{} differ only in their seeds: <strong>mean {}, standard deviation {:.2f} points</strong> over {} "
        "runs.</p>\n",
        fmt::join(names, ", "), percent(mean(errors)), 100 * standard_deviation(errors), members.size());
  }
  return html;
}

// Run names by value: "svhn (0f3a): a, b; pets (77aa): c".
std::string names_text(const std::map<std::string, std::vector<std::string>>& names_by_value) {
  std::vector<std::string> parts;
  parts.reserve(names_by_value.size());
  for (const auto& [value, names] : names_by_value)
    parts.push_back(fmt::format("{}: {}", value, fmt::join(names, ", ")));
  return fmt::format("{}", fmt::join(parts, "; "));
}

// Warnings if the runs differ in their data, or in their recipe (methods/methods.h).
std::string difference_notes(const std::vector<RunHistory>& runs) {
  std::map<std::string, std::vector<std::string>> data, recipes;
  for (const RunHistory& run : runs) {
    if (run.summary.data_digest.empty()) continue;
    data[fmt::format("{} ({:.8})", run.summary.data, run.summary.data_digest)].push_back(run.name);
    recipes[fmt::format("recipe {}", run.summary.recipe)].push_back(run.name);
  }
  std::string html;
  const auto note = [&](const char* text, const std::map<std::string, std::vector<std::string>>& values) {
    if (values.size() < 2) return;
    html += fmt::format("<p class=\"note\" role=\"note\">{} {}.</p>\n", text, escaped(names_text(values)));
  };
  note("The runs use different data, so their errors refer to different images.", data);
  note(
      "The runs come from frgan versions with different training recipes, which may explain differences in the "
      "results.",
      recipes);
  return html;
}

}  // namespace

std::string summary_section(const std::vector<RunHistory>& runs) {
  std::string cards;
  for (size_t i = 0; i < runs.size(); ++i) cards += card(runs, i);
  return section_html("summary", "Summary",
                      difference_notes(runs) + "<ul class=\"cards\">\n" + cards + "</ul>\n" + repeated_runs(runs) +
                          interval_chart(runs) + summary_table(runs));
}

std::string comparison_section(const std::vector<RunHistory>& runs) {
  HtmlTable table{"McNemar's test (exact, two-sided) on images that exactly one of the two runs misclassifies",
                  {"runs", "only the first wrong", "only the second wrong", "p"},
                  {},
                  "numbers"};
  constexpr size_t kMaxPairs = 200;
  std::vector<std::pair<double, std::vector<std::string>>> pairs;  // p value, row of the table
  for (size_t i = 0; i < runs.size(); ++i) {
    for (size_t k = i + 1; k < runs.size(); ++k) {
      if (!runs[i].mistakes || !runs[k].mistakes || !on_same_images(*runs[i].mistakes, *runs[k].mistakes)) continue;
      const McNemarTest test = mcnemar(*runs[i].mistakes, *runs[k].mistakes);
      pairs.push_back({test.p_value,
                       {run_label(runs, i) + " and " + run_label(runs, k), grouped(test.only_first_wrong),
                        grouped(test.only_second_wrong), fmt::format("{:.3g}", test.p_value)}});
    }
  }
  if (pairs.empty()) return "";
  std::string rest;
  if (pairs.size() > kMaxPairs) {
    std::ranges::stable_sort(pairs, {}, [](const auto& pair) { return pair.first; });
    rest = omitted_html(fmt::format("{} of {} pairs (those with the largest p)",
                                    grouped(static_cast<int64_t>(pairs.size() - kMaxPairs)),
                                    grouped(static_cast<int64_t>(pairs.size()))));
    pairs.resize(kMaxPairs);
  }
  for (auto& [p, row] : pairs) table.rows.push_back(std::move(row));
  return section_html("comparison", "Paired comparison (McNemar's test)", table_html(table) + rest);
}

std::string options_section(const std::vector<RunHistory>& runs) {
  std::vector<std::string> names;
  for (const RunHistory& run : runs) {
    for (const auto& [name, value] : run.options) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  if (names.empty()) return "";
  HtmlTable different{"Differing options", {"option"}, {}, ""},
      same{"Options common to all runs", {"option", "value"}, {}, ""};
  for (size_t i = 0; i < runs.size(); ++i) different.header.push_back(run_label(runs, i));
  for (const std::string& name : names) {
    std::vector<std::string> row{fmt::format("<code>{}</code>", escaped(name))};
    for (const RunHistory& run : runs) row.push_back(escaped(option_of(run, name)));
    if (std::adjacent_find(row.begin() + 1, row.end(), std::not_equal_to<>()) == row.end()) {
      same.rows.push_back({row[0], row[1]});
    } else {
      different.rows.push_back(std::move(row));
    }
  }
  return section_html("options", "Options",
                      (different.rows.empty() ? "" : table_html(different)) +
                          (same.rows.empty() ? "" : details_html("Options common to all runs", table_html(same))));
}

std::string environment_section(const std::vector<RunHistory>& runs) {
  std::string html;
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunHistory& run = runs[i];
    std::string facts;
    const auto add = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) facts += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, escaped(value));
    };
    const auto gib = [](int64_t bytes) { return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1 << 30)); };
    add("folder", run.folder.string());
    add("processor", run.machine.processor);
    if (run.machine.cores > 0) add("threads", fmt::format("{} of {} cores", run.machine.threads, run.machine.cores));
    if (run.machine.memory_bytes > 0) {
      add("memory",
          fmt::format("{} total, {} peak use", gib(run.machine.memory_bytes), gib(run.machine.peak_memory_bytes)));
    }
    if (const Json& from = run.summary.inherited; from.is_object()) {
      const Json test = from.value("test", Json());
      add("initial weights",
          fmt::format(
              "{} after step {}, trained with {} labels{}", from.value("checkpoint", ""),
              from.value("step", int64_t{0}), from.value("labels", int64_t{0}),
              test.is_object() ? fmt::format(", test error {:.2f} %", 100 * test.value("test_error", 0.0)) : ""));
    }
    if (const Json& from = run.summary.encoder; from.is_object()) {
      add("published weights", from.value("architecture", ""));
      add("license of the weights", from.value("license", ""));
      add("source of the weights", from.value("source", ""));
      add("SHA-256 of the weights", from.value("sha256", ""));
    }
    add("device", run.summary.device);
    add("precision", run.summary.precision);
    add("LibTorch", run.machine.libtorch);
    add("frgan", run.version.empty() ? "" : fmt::format("{} {:.12}", run.version, run.commit));
    html += fmt::format("<article class=\"panel\"><h3>{}</h3>\n<dl>\n{}</dl>\n", run_label(runs, i), facts);
    if (!run.summary.command.empty()) {
      html +=
          fmt::format("<p class=\"soft\">Command to repeat the run</p>\n<pre tabindex=\"0\"><code>{}</code></pre>\n",
                      escaped(run.summary.command));
    }
    html += "</article>\n";
  }
  return section_html("environment", "Environment", "<div class=\"grid\">\n" + html + "</div>\n");
}

}  // namespace frgan
