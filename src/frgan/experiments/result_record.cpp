#include "frgan/experiments/result_record.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/json_lines.h"
#include "frgan/metrics/statistics.h"
#include "frgan/report/mistakes.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kFormat = "frgan run record 1";

ordered_json read_json_object(const fs::path& path) {
  ordered_json value = ordered_json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) throw Error(fmt::format("{}: no JSON object, or cut short", path.string()));
  return value;
}

// One key a line, and lists on one line: so that a change of one number is a change of one line.
std::string text_of(const ordered_json& record) {
  std::string text = "{";
  for (const auto& [key, value] : record.items()) {
    text += fmt::format("{}\n  {}: {}", text.size() == 1 ? "" : ",", ordered_json(key).dump(), value.dump());
  }
  return text + "\n}\n";
}

ResultRecord parsed(const ordered_json& value, const fs::path& path) try {
  if (value.value("format", "") != kFormat) {
    throw Error(fmt::format("{}: no record of a run; expected \"format\": \"{}\"", path.string(), kFormat));
  }
  ResultRecord record = {.name = path.stem().string(),
                         .key = value.at("key"),
                         .recipe = value.at("recipe"),
                         .data_digest = value.at("data_digest"),
                         .options = value.at("options"),
                         .summary = value.at("summary"),
                         .evaluations = value.at("evaluations"),
                         .mistakes = value.at("mistakes"),
                         .steps_per_epoch = value.at("steps_per_epoch"),
                         .tflop = value.at("tflop"),
                         .pictures_seen = value.at("pictures_seen"),
                         .parameters = value.at("parameters")};
  if (record.evaluations.empty()) throw Error(fmt::format("{}: has no evaluation", path.string()));
  record.test_pictures();  // throws where there are none
  std::sort(record.mistakes.begin(), record.mistakes.end());
  return record;
} catch (const nlohmann::json::exception& error) {
  throw Error(fmt::format("{}: no whole record of a run ({})", path.string(), problem_of(error)));
}

}  // namespace

double ResultRecord::error() const {
  return evaluations.back().second;
}

double ResultRecord::median_error() const {
  std::vector<double> errors;
  for (const auto& [step, error] : evaluations) errors.push_back(error);
  return late_median(errors);
}

int64_t ResultRecord::test_pictures() const {
  return summary.at("test").at("pictures");
}

ResultRecord record_of(const fs::path& run, const PlannedRun& planned) {
  ResultRecord record;
  record.name = planned.name;
  record.key = planned.key;
  record.options = planned.options;
  record.summary = read_json_object(run / "summary.json");
  if (!record.summary.contains("test") || !record.summary["test"].is_object()) {
    throw Error(fmt::format("{}: the run's data have no test pictures, and a table is of test errors", run.string()));
  }
  record.recipe = record.summary.value("recipe", int64_t{0});
  record.data_digest = record.summary.value("data_digest", "");
  for (const json& line : read_json_lines(run / "metrics.jsonl")) {
    if (line.contains("test_error") && line["test_error"].is_number()) {
      record.evaluations.emplace_back(line.at("step"), line.at("test_error"));
    }
  }
  if (record.evaluations.empty()) {
    throw Error(fmt::format("{}: has no line with a test error", (run / "metrics.jsonl").string()));
  }
  for (const Mistake& mistake : read_mistakes(run / "mistakes.json").mistakes) {
    record.mistakes.emplace_back(mistake.row, mistake.prediction);
  }
  std::sort(record.mistakes.begin(), record.mistakes.end());
  record.steps_per_epoch = planned.steps_per_epoch;
  record.tflop = planned.tflop;
  record.pictures_seen = planned.pictures_per_step * planned.steps;
  record.parameters = planned.parameters;
  return record;
}

void write_result_record(const fs::path& folder, const ResultRecord& record) {
  ensure_directory(folder);
  write_file_safely(folder / (record.name + ".json"), text_of({{"format", kFormat},
                                                               {"key", record.key},
                                                               {"recipe", record.recipe},
                                                               {"data_digest", record.data_digest},
                                                               {"options", record.options},
                                                               {"summary", record.summary},
                                                               {"steps_per_epoch", record.steps_per_epoch},
                                                               {"tflop", record.tflop},
                                                               {"pictures_seen", record.pictures_seen},
                                                               {"parameters", record.parameters},
                                                               {"evaluations", record.evaluations},
                                                               {"mistakes", record.mistakes}}));
}

ResultRecord read_result_record(const fs::path& file) {
  return parsed(read_json_object(file), file);
}

std::vector<ResultRecord> read_result_records(const fs::path& folder) {
  std::vector<ResultRecord> records;
  for (const fs::path& file : files_in(folder, ".json")) records.push_back(read_result_record(file));
  return records;
}

McNemarTest mcnemar_test(const ResultRecord& first, const ResultRecord& second) {
  if (first.data_digest != second.data_digest || first.test_pictures() != second.test_pictures()) {
    throw Error(fmt::format("{} and {}: were tested on different pictures", first.name, second.name));
  }
  const auto pictures = [](const ResultRecord& record) {
    std::vector<int64_t> rows;
    for (const auto& [row, prediction] : record.mistakes) rows.push_back(row);
    return rows;
  };
  const std::vector<int64_t> a = pictures(first), b = pictures(second);  // by picture
  return mcnemar_test(a, b);
}

}  // namespace frgan
