#include "frgan/tables/result_cells.h"

#include <cmath>
#include <set>

#include <fmt/format.h>

#include "frgan/metrics/statistics.h"
#include "frgan/report/progress.h"

namespace frgan {
namespace {

// "Intel(R) Xeon(R) ..., 1 thread, bf16"
std::string hardware_of(const RunRecord& record) {
  const Json& summary = record.summary;
  const int64_t threads = summary.value("threads", int64_t{0});
  const std::string device = summary.value("device", "cpu");
  const std::string where =
      device == "cpu" ? fmt::format("{}, {}", summary.value("processor", "unknown"), counted(threads, "thread"))
                      : device;
  return fmt::format("{}, {}", where, summary.value("precision", "?"));
}

std::string commit_of(const RunRecord& record) {
  constexpr size_t kShort = 10;
  const std::string commit = record.summary.value("commit", "unknown");
  return commit.substr(0, kShort) + (commit.ends_with("-dirty") ? "-dirty" : "");
}

std::string parameters_of(const RunRecord& record) {
  std::string text;
  for (const auto& [name, count] : record.parameters.items()) {
    text += fmt::format("{}{} {:.1f} k", text.empty() ? "" : ", ", name, count.get<double>() * 1e-3);
  }
  return text;
}

}  // namespace

std::string csv_number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "";
}

TableCell published_cell(const PlanRow& row, const std::string& value) {
  const auto found = row.published.find(value);
  if (found == row.published.end()) return {"–", {"", ""}};
  const auto [error, deviation] = found->second;
  if (!deviation) return {fmt::format("{:.2f}", error), {csv_number(error), ""}};
  return {fmt::format("{:.2f} ± {:.2f}", error, *deviation), {csv_number(error), csv_number(*deviation)}};
}

std::string mean_text(const std::vector<double>& values, int digits) {
  const double spread = standard_deviation(values);
  const std::string text = fmt::format("{:.{}f}", mean(values), digits);
  return std::isfinite(spread) ? fmt::format("{} ± {:.{}f}", text, spread, digits) : text;
}

TableCell difference_cell(const std::vector<double>& differences, int digits) {
  if (differences.empty()) return {"–", {"", "", "", "0"}};
  const MeanInterval interval = mean_interval(differences);
  std::string text = fmt::format("{:+.{}f}", interval.mean, digits);
  if (interval.count > 1) text += fmt::format(" [{:+.{}f}, {:+.{}f}]", interval.low, digits, interval.high, digits);
  return {text + fmt::format(" ({})", interval.count),
          {csv_number(interval.mean), csv_number(interval.low), csv_number(interval.high),
           fmt::format("{}", interval.count)}};
}

std::vector<TableColumn> effort_columns() {
  return {{"steps", {"steps"}},       {"images seen", {"images_seen"}}, {"TFLOP", {"tflop"}},  {"time", {"seconds"}},
          {"hardware", {"hardware"}}, {"parameters", {"parameters"}},   {"commit", {"commit"}}};
}

std::vector<TableCell> effort_cells(const std::vector<const RunRecord*>& records) {
  if (records.empty()) return std::vector<TableCell>(effort_columns().size(), TableCell{"–", {""}});
  const RunRecord& first = *records.front();
  std::vector<double> seconds;
  seconds.reserve(records.size());
  for (const RunRecord* record : records) seconds.push_back(record->summary.value("wall_seconds", 0.0));
  const auto steps = first.summary.value("steps", int64_t{0});
  return {
      {fmt::format("{}", steps), {fmt::format("{}", steps)}},
      {fmt::format("{:.3g} M", static_cast<double>(first.images_seen) * 1e-6), {fmt::format("{}", first.images_seen)}},
      {tflop_number(first.tflop), {csv_number(first.tflop)}},
      {duration_text(median(seconds)), {csv_number(median(seconds))}},
      text_cell(distinct_texts(records, hardware_of)),
      text_cell(parameters_of(first)),
      text_cell(distinct_texts(records, commit_of))};
}

std::string distinct_texts(const std::vector<const RunRecord*>& records, std::string (*text)(const RunRecord&)) {
  std::set<std::string> texts;
  for (const RunRecord* record : records) texts.insert(text(*record));
  return fmt::format("{}", fmt::join(texts, "; "));
}

}  // namespace frgan
