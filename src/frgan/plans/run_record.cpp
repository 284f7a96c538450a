#include "frgan/plans/run_record.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"
#include "frgan/io/json_lines.h"
#include "frgan/metrics/statistics.h"
#include "frgan/report/mistakes.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunRecordFormat = "frgan run record 1";

// One key per line, with lists on one line, so that changing one number changes one line in a diff.
std::string text_of(const Json& record) {
  std::string text = "{";
  for (const auto& [key, value] : record.items()) {
    text += fmt::format("{}\n  {}: {}", text.size() == 1 ? "" : ",", Json(key).dump(), value.dump());
  }
  return text + "\n}\n";
}

RunRecord parsed(const Json& value, const fs::path& path) try {
  if (value.value("format", "") != kRunRecordFormat) {
    throw Error(fmt::format("{}: not a run record; expected \"format\": \"{}\"", path.string(), kRunRecordFormat));
  }
  RunRecord record = {.name = path.stem().string(),
                      .key = value.at("key").get<std::string>(),
                      .recipe = value.at("recipe").get<int64_t>(),
                      .data_digest = value.at("data_digest").get<std::string>(),
                      .options = value.at("options"),
                      .summary = value.at("summary"),
                      .evaluations = value.at("evaluations").get<std::vector<std::pair<int64_t, double>>>(),
                      .mistakes = value.at("mistakes").get<std::vector<std::pair<int64_t, int64_t>>>(),
                      .steps_per_epoch = value.at("steps_per_epoch").get<int64_t>(),
                      .tflop = value.at("tflop").get<double>(),
                      .images_seen = value.at("images_seen").get<int64_t>(),
                      .parameters = value.at("parameters")};
  if (record.evaluations.empty()) throw Error(fmt::format("{}: incomplete run record: no evaluations", path.string()));
  record.test_images();  // throws if the summary has no test images
  std::sort(record.mistakes.begin(), record.mistakes.end());
  return record;
} catch (const JsonError& error) {
  throw Error(fmt::format("{}: incomplete run record: {}", path.string(), error.what()));
}

struct Records {
  std::vector<RunRecord> records;
  std::vector<std::string> damaged;  // what is wrong
};

Records read_all(const fs::path& folder) {
  Records found;
  for (const fs::path& file : files_in(folder, ".json")) {
    try {
      found.records.push_back(read_run_record(file));
    } catch (const Error& error) {
      found.damaged.emplace_back(error.what());
    }
  }
  return found;
}

}  // namespace

double RunRecord::error() const {
  return evaluations.back().second;
}

double RunRecord::median_error() const {
  std::vector<double> errors;
  for (const auto& [step, error] : evaluations) errors.push_back(error);
  return late_median(errors);
}

int64_t RunRecord::test_images() const {
  return summary.at("test").at("images").get<int64_t>();
}

RunRecord record_of(const fs::path& run, const PlannedRun& planned) {
  RunRecord record;
  record.name = planned.name;
  record.key = planned.key;
  record.options = planned.options;
  record.summary = read_json_object(run / kSummaryFile);
  if (!record.summary.contains("test") || !record.summary["test"].is_object()) {
    throw Error(fmt::format("{}: the run's dataset has no test images, but tables need a test error", run.string()));
  }
  if (const auto steps = record.summary.value("steps", int64_t{0}); steps != planned.steps) {
    throw Error(fmt::format("{}: the run has {} steps instead of {}", run.string(), steps, planned.steps));
  }
  record.recipe = record.summary.value("recipe", int64_t{0});
  record.data_digest = record.summary.value("data_digest", "");
  const JsonLines log = read_json_lines(run / kLogFile);
  if (!log.damaged.empty()) {
    throw Error(
        fmt::format("{}: line {} is damaged; train the run again, or remove the line if it is not an evaluation",
                    (run / kLogFile).string(), log.damaged.front()));
  }
  for (const Json& line : log.objects) {
    if (line.contains("test_error") && line.at("test_error").is_number()) {
      record.evaluations.emplace_back(line.at("step").get<int64_t>(), line.at("test_error").get<double>());
    }
  }
  const auto steps = record.summary.at("steps").get<int64_t>();
  if (record.evaluations.empty() || record.evaluations.back().first < steps) {
    throw Error(
        fmt::format("{}: the test error after the last step, {}, is missing", (run / kLogFile).string(), steps));
  }
  for (const Mistake& mistake : read_mistakes(run / kMistakesFile).mistakes) {
    record.mistakes.emplace_back(mistake.row, mistake.prediction);
  }
  std::sort(record.mistakes.begin(), record.mistakes.end());
  record.steps_per_epoch = planned.steps_per_epoch;
  record.tflop = planned.tflop;
  record.images_seen = planned.images_per_step * planned.steps;
  record.parameters = planned.parameters;
  return record;
}

void write_run_record(const fs::path& folder, const RunRecord& record) {
  ensure_directory(folder);
  const Json json{{"format", kRunRecordFormat},
                  {"key", record.key},
                  {"recipe", record.recipe},
                  {"data_digest", record.data_digest},
                  {"options", record.options},
                  {"summary", record.summary},
                  {"steps_per_epoch", record.steps_per_epoch},
                  {"tflop", record.tflop},
                  {"images_seen", record.images_seen},
                  {"parameters", record.parameters},
                  {"evaluations", record.evaluations},
                  {"mistakes", record.mistakes}};
  write_file_safely(folder / (record.name + ".json"), text_of(with_checksum(json)));
}

RunRecord read_run_record(const fs::path& file) {
  return parsed(read_json_object(file), file);
}

std::vector<RunRecord> read_run_records(const fs::path& folder) {
  return read_all(folder).records;
}

std::vector<std::string> damaged_records(const fs::path& folder) {
  return read_all(folder).damaged;
}

McNemarTest mcnemar_test(const RunRecord& first, const RunRecord& second) {
  if (first.data_digest != second.data_digest || first.test_images() != second.test_images()) {
    throw Error(fmt::format("{} and {}: tested on different images", first.name, second.name));
  }
  const auto images = [](const RunRecord& record) {
    std::vector<int64_t> rows;
    for (const auto& [row, prediction] : record.mistakes) rows.push_back(row);
    return rows;
  };
  const std::vector<int64_t> a = images(first), b = images(second);  // sorted, since mistakes are
  return mcnemar_test(a, b);
}

}  // namespace frgan
