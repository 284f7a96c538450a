#include "frgan/experiments/errors_table.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "frgan/metrics/statistics.h"
#include "frgan/report/progress.h"

namespace frgan {
namespace {

constexpr double kPercent = 100;

using Records = std::vector<const ResultRecord*>;

std::string number(double value, const char* format = "{:.4f}") {
  return std::isfinite(value) ? fmt::format(fmt::runtime(format), value) : "";
}

// "7.62 ± 0.15 (3)": percent, over so many seeds.
TableCell mean_cell(const std::vector<double>& percents) {
  if (percents.empty()) return {"–", {"", "", "0"}};
  const double center = mean(percents), spread = standard_deviation(percents);
  std::string text = std::isfinite(spread) ? fmt::format("{:.2f} ± {:.2f} ({})", center, spread, percents.size())
                                           : fmt::format("{:.2f} (1)", center);
  return {std::move(text), {number(center), number(spread), fmt::format("{}", percents.size())}};
}

template <class Value>
std::vector<double> percents_of(const Records& records, Value value) {
  std::vector<double> percents;
  for (const ResultRecord* record : records) {
    if (const double share = value(*record); std::isfinite(share)) percents.push_back(kPercent * share);
  }
  return percents;
}

// All different texts, in order.
template <class Value>
std::string each_once(const Records& records, Value value) {
  std::set<std::string> texts;
  for (const ResultRecord* record : records) texts.insert(value(*record));
  return fmt::format("{}", fmt::join(texts, "; "));
}

std::string augmentation_of(const ResultRecord& record) {
  if (!record.options.contains("augmentation")) return "no";
  const auto list = record.options.at("augmentation").get<std::vector<std::string>>();
  return list.empty() || list.front() == "none" ? "no" : fmt::format("{}", fmt::join(list, ", "));
}

// "Intel(R) Xeon(R) ..., 1 thread, bf16"
std::string hardware_of(const ResultRecord& record) {
  const nlohmann::ordered_json& summary = record.summary;
  const int64_t threads = summary.value("threads", int64_t{0});
  const std::string device = summary.value("device", "cpu");
  const std::string where = device == "cpu" ? fmt::format("{}, {} thread{}", summary.value("processor", "unknown"),
                                                          threads, threads == 1 ? "" : "s")
                                            : device;
  return fmt::format("{}, {}", where, summary.value("precision", "?"));
}

std::string commit_of(const ResultRecord& record) {
  constexpr size_t kShort = 10;
  const std::string commit = record.summary.value("commit", "unknown");
  return commit.substr(0, kShort) + (commit.ends_with("-dirty") ? "-dirty" : "");
}

std::string parameters_of(const ResultRecord& record) {
  std::string text;
  for (const auto& [name, count] : record.parameters.items()) {
    text += fmt::format("{}{} {:.1f} k", text.empty() ? "" : ", ", name, count.get<double>() * 1e-3);
  }
  return text;
}

// A row in a section: all its seeds.
struct Place {
  size_t row, section;
};

// Of one place's errors from another's, on the same seeds and test pictures.
struct Differences {
  std::vector<double> percents;
  std::vector<std::string> p_values;  // "1: 0.37", by seed
};

Differences differences(const PlanResults& results, Place place, Place reference) {
  Differences found;
  for (int64_t seed = 1; seed <= results.seeds(); ++seed) {
    const ResultRecord* ours = results.find(place.row, place.section, seed);
    const ResultRecord* other = results.find(reference.row, reference.section, seed);
    if (ours == nullptr || other == nullptr || ours == other || ours->data_digest != other->data_digest) continue;
    found.percents.push_back(kPercent * (ours->error() - other->error()));
    found.p_values.push_back(fmt::format("{}: {:.2g}", seed, mcnemar_test(*ours, *other).p_value));
  }
  return found;
}

std::vector<TableCell> difference_cells(const Differences& found) {
  if (found.percents.empty()) return {{"–", {"", "", "", "0"}}, {"–", {""}}};
  const MeanInterval interval = mean_interval(found.percents);
  std::string text = fmt::format("{:+.2f}", interval.mean);
  if (interval.count > 1) text += fmt::format(" [{:+.2f}, {:+.2f}]", interval.low, interval.high);
  return {{text + fmt::format(" ({})", interval.count),
           {number(interval.mean), number(interval.low), number(interval.high), fmt::format("{}", interval.count)}},
          {fmt::format("{}", fmt::join(found.p_values, ", ")), {fmt::format("{}", fmt::join(found.p_values, ";"))}}};
}

std::vector<TableCell> row_of(const PlanResults& results, size_t row, size_t section, size_t reference) {
  const PlanRow& planned = results.plan().rows[row];
  const Records records = results.of(row, section);
  std::vector<TableCell> cells = {
      text_cell(planned.name),
      published_cell(planned, results.plan().published_key(results.plan().sections[section])),
      text_cell(planned.augmentation),
      mean_cell(percents_of(records, [](const ResultRecord& r) { return r.error(); })),
      mean_cell(percents_of(records, [](const ResultRecord& r) { return r.median_error(); })),
      text_cell(each_once(records, augmentation_of))};
  const auto append = [&](const std::vector<TableCell>& more) { cells.insert(cells.end(), more.begin(), more.end()); };
  if (reference < results.plan().rows.size()) {
    append(difference_cells(differences(results, {row, section}, {reference, section})));
  }
  if (results.plan().show == "noise") append(difference_cells(differences(results, {row, section}, {row, 0})));
  append(effort_cells(records));
  return cells;
}

std::vector<TableColumn> columns_of(const Plan& plan) {
  std::vector<TableColumn> columns = {{"method", {"method"}},
                                      {"published error (%)", {"published_error", "published_sd"}},
                                      {"augmentation, published", {"published_augmentation"}},
                                      {"our error (%): mean ± sd (seeds)", {"error_mean", "error_sd", "seeds"}},
                                      {"ours, median of the last 20", {"median_mean", "median_sd", "median_seeds"}},
                                      {"augmentation, ours", {"augmentation"}}};
  if (!plan.reference.empty()) {
    columns.push_back({fmt::format("less {}: mean [95 % t interval] (pairs)", plan.reference),
                       {"difference", "difference_low", "difference_high", "pairs"}});
    columns.push_back({"McNemar's p, by seed", {"mcnemar_p"}});
  }
  if (plan.show == "noise") {
    columns.push_back({fmt::format("less its own with {}: mean [95 % t interval] (pairs)", plan.sections[0].title),
                       {"from_first", "from_first_low", "from_first_high", "from_first_pairs"}});
    columns.push_back({"its McNemar's p, by seed", {"from_first_mcnemar_p"}});
  }
  const std::vector<TableColumn> effort = effort_columns();
  columns.insert(columns.end(), effort.begin(), effort.end());
  return columns;
}

}  // namespace

std::vector<TableColumn> effort_columns() {
  return {{"updates", {"steps"}}, {"pictures seen", {"pictures_seen"}}, {"TFLOP", {"tflop"}},
          {"time", {"seconds"}},  {"hardware", {"hardware"}},           {"parameters", {"parameters"}},
          {"commit", {"commit"}}};
}

std::vector<TableCell> effort_cells(const Records& records) {
  if (records.empty()) return std::vector<TableCell>(effort_columns().size(), TableCell{"–", {""}});
  const ResultRecord& first = *records.front();
  std::vector<double> seconds;
  for (const ResultRecord* record : records) seconds.push_back(record->summary.value("wall_seconds", 0.0));
  const auto steps = first.summary.value("steps", int64_t{0});
  return {{fmt::format("{}", steps), {fmt::format("{}", steps)}},
          {fmt::format("{:.3g} M", static_cast<double>(first.pictures_seen) * 1e-6),
           {fmt::format("{}", first.pictures_seen)}},
          {fmt::format("{:.0f}", first.tflop), {number(first.tflop, "{:.2f}")}},
          {duration_text(median(seconds)), {number(median(seconds), "{:.0f}")}},
          text_cell(each_once(records, hardware_of)),
          text_cell(parameters_of(first)),
          text_cell(each_once(records, commit_of))};
}

TableCell published_cell(const PlanRow& row, const std::string& value) {
  const auto found = row.published.find(value);
  if (found == row.published.end()) return {"–", {"", ""}};
  const auto [error, deviation] = found->second;
  if (!deviation) return {fmt::format("{:.2f}", error), {number(error), ""}};
  return {fmt::format("{:.2f} ± {:.2f}", error, *deviation), {number(error), number(*deviation)}};
}

Table errors_table(const PlanResults& results) {
  const Plan& plan = results.plan();
  Table table{plan.title, columns_of(plan), {}, {}};
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    TableSection rows{plan.sections[section].title, {}};
    bool any = false;
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      rows.rows.push_back(row_of(results, row, section, plan.reference_row()));
      any = any || !results.of(row, section).empty() ||
            plan.rows[row].published.contains(plan.published_key(plan.sections[section]));
    }
    if (any) table.sections.push_back(std::move(rows));
  }
  table.notes = results.notes();
  table.notes.insert(
      table.notes.begin(),
      "Ours: the error of the last, averaged weights on all test pictures; nothing is selected on them. "
      "In brackets the number of seeds; " +
          std::string(results.same_splits() ? "each has its own choice of labels, the same for all rows."
                                            : "the rows of a seed differ in their choice of labels too."));
  return table;
}

}  // namespace frgan
