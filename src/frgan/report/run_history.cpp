#include "frgan/report/run_history.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"
#include "frgan/io/json_lines.h"
#include "frgan/metrics/statistics.h"
#include "frgan/report/gates.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Returns `fallback` if the key is missing, as in files of older versions, or if it is null, which stands for NaN.
template <class T>
T value_of(const Json& object, const char* key, T fallback) {
  const Json* const found = object.find(key);
  return found == nullptr || found->is_null() ? fallback : found->get<T>();
}

double number_of(const Json& object, const char* key) {
  return value_of(object, key, std::numeric_limits<double>::quiet_NaN());
}

std::optional<EvaluationRecord> evaluation_of(const Json& line) {
  for (const EvaluatedImages role : {EvaluatedImages::kTest, EvaluatedImages::kDev}) {
    const std::string key = name_of(role) + "_error";
    if (!line.contains(key)) continue;
    return EvaluationRecord{line.at("step").get<int64_t>(),    role,
                            number_of(line, key.c_str()),      value_of(line, "error_low", 0.0),
                            value_of(line, "error_high", 1.0), value_of(line, "images", int64_t{0})};
  }
  return std::nullopt;
}

void read_log(RunHistory& record, const fs::path& path) {
  const JsonLines lines = read_json_lines(path);
  if (!lines.damaged.empty()) {
    record.notes.push_back(
        fmt::format("{}: {} ignored", path.string(), counted(std::ssize(lines.damaged), "damaged line")));
  }
  for (const Json& line : lines.objects) {
    if (const auto evaluation = evaluation_of(line)) {
      record.evaluations.push_back(*evaluation);
    } else if (line.contains("losses")) {
      record.steps.push_back({line.at("step").get<int64_t>(), number_of(line, "epoch"), losses_of(line.at("losses")),
                              number_of(line, "learning_rate"), number_of(line, "images_per_second"),
                              value_of(line, "seconds", 0.0)});
    }
  }
  if (lines.objects.empty()) record.notes.push_back(fmt::format("{}: the log is empty", path.string()));
}

void read_summary(RunHistory& record, const fs::path& path) {
  const Json found = read_json_object(path);
  RunSummary summary;
  found.at("method").get_to(summary.method);
  found.at("steps").get_to(summary.steps);
  found.at("wall_seconds").get_to(summary.wall_seconds);
  summary.command = value_of<std::string>(found, "command", "");
  summary.inherited = value_of(found, "inherited", Json());
  summary.encoder = value_of(found, "encoder", Json());
  summary.data = value_of<std::string>(found, "data", "");
  summary.data_digest = value_of<std::string>(found, "data_digest", "");
  summary.split_digest = value_of<std::string>(found, "split_digest", "");
  summary.recipe = value_of(found, "recipe", int64_t{0});
  summary.gflop_per_step = value_of(found, "gflop_per_step", 0.0);
  summary.precision = value_of<std::string>(found, "precision", "");
  summary.device = value_of<std::string>(found, "device", "");
  for (auto* evaluation : {&summary.test, &summary.dev}) {
    const Json* const entry = found.find(evaluation == &summary.test ? "test" : "dev");
    if (entry != nullptr && entry->is_object()) *evaluation = evaluation_of(*entry);
  }
  record.machine = {.processor = value_of<std::string>(found, "processor", ""),
                    .cores = value_of(found, "cores", int64_t{0}),
                    .threads = value_of(found, "threads", int64_t{0}),
                    .memory_bytes = value_of(found, "memory_bytes", int64_t{0}),
                    .peak_memory_bytes = value_of(found, "peak_memory_bytes", int64_t{0}),
                    .libtorch = value_of<std::string>(found, "libtorch", "")};
  record.version = value_of<std::string>(found, "version", "");
  record.commit = value_of<std::string>(found, "commit", "");
  record.summary = std::move(summary);
  record.finished = true;
}

// Reads one file of the run if it exists. An error becomes a note. Returns whether the file was read.
bool read_part(RunHistory& record, std::string_view name, const std::function<void(const fs::path&)>& read) {
  const fs::path path = record.folder / name;
  if (!fs::exists(path)) return false;
  try {
    read(path);
    return true;
  } catch (const JsonError& error) {
    record.notes.push_back(
        fmt::format("{}: cannot parse the file; it is truncated or corrupt ({})", path.string(), error.what()));
  } catch (const Error& error) {
    record.notes.emplace_back(error.what());
  }
  return false;
}

}  // namespace

RunHistory read_run_history(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw Error(fmt::format("{}: no such folder; expected a run folder written by frgan train", folder.string()));
  }
  if (!fs::exists(folder / kLogFile) && !fs::exists(folder / kSummaryFile)) {
    throw Error(
        fmt::format("{}: not a run folder: it contains neither {} nor {}", folder.string(), kLogFile, kSummaryFile));
  }
  RunHistory record;
  record.folder = fs::absolute(folder).lexically_normal();
  if (!record.folder.has_filename()) record.folder = record.folder.parent_path();
  record.name = record.folder.filename().string();
  if (fs::exists(folder / kLogFile)) {
    read_part(record, kLogFile, [&](const fs::path& path) { read_log(record, path); });
  } else {
    record.notes.push_back(fmt::format("{}: missing; the report has no curves", (folder / kLogFile).string()));
  }
  read_part(record, kLabelsFile, [&](const fs::path& path) {
    const Json split = read_json_object(path);
    record.labels = static_cast<int64_t>(split.at("labeled").size());
  });
  const bool has_summary = fs::exists(folder / kSummaryFile);
  if (!read_part(record, kSummaryFile, [&](const fs::path& path) { read_summary(record, path); }) &&
      !record.steps.empty()) {
    record.summary.steps = record.steps.back().step;
    record.summary.wall_seconds = record.steps.back().seconds;
  }
  if (!has_summary) record.notes.emplace_back("This run is not finished; the report shows its progress so far.");
  read_part(record, kMistakesFile, [&](const fs::path& path) { record.mistakes = read_mistakes(path); });
  read_part(record, kQualityFile, [&](const fs::path& path) { record.quality = read_quality(path); });
  read_part(record, kGatesFile, [&](const fs::path& path) { record.gates = read_gates(path); });
  return record;
}

void name_runs(std::vector<RunHistory>& runs) {
  const auto end_of_path = [](const fs::path& path, size_t parts) {
    fs::path end, rest = path;
    for (size_t i = 0; i < parts && rest.has_filename(); ++i, rest = rest.parent_path()) {
      end = end.empty() ? rest.filename() : rest.filename() / end;
    }
    return end.string();
  };
  for (RunHistory& run : runs) {
    for (size_t parts = 1; parts < 64; ++parts) {
      run.name = end_of_path(run.folder, parts);
      const auto same = std::count_if(runs.begin(), runs.end(), [&](const RunHistory& other) {
        return end_of_path(other.folder, parts) == run.name;
      });
      if (same == 1) break;
    }
  }
}

EvaluatedImages primary_role(const RunHistory& record) {
  const auto is_test = [](const EvaluationRecord& evaluation) { return evaluation.role == EvaluatedImages::kTest; };
  const bool has_test =
      record.summary.test || std::any_of(record.evaluations.begin(), record.evaluations.end(), is_test);
  const bool has_any = record.summary.dev || !record.evaluations.empty();
  return has_test || !has_any ? EvaluatedImages::kTest : EvaluatedImages::kDev;
}

std::optional<EvaluationRecord> final_error(const RunHistory& record) {
  return primary_role(record) == EvaluatedImages::kTest ? record.summary.test : record.summary.dev;
}

double late_median(const RunHistory& record) {
  const EvaluatedImages role = primary_role(record);
  std::vector<double> errors;
  for (const EvaluationRecord& evaluation : record.evaluations) {
    if (evaluation.role == role && std::isfinite(evaluation.error)) errors.push_back(evaluation.error);
  }
  return late_median(errors);
}

}  // namespace frgan
