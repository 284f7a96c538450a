#include "frgan/report/run_summary.h"

#include <exception>

#include "frgan/core/version.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"

namespace frgan {
namespace {

Json to_json(const std::optional<EvaluationRecord>& record) {
  return record ? to_json(*record) : Json();
}

}  // namespace

Json to_json(const RunSummary& summary, const Machine& machine) {
  Json losses = Json::object();
  for (const auto& [name, value] : summary.losses) losses[name] = value;
  Json json{{"method", summary.method},
            {"command", summary.command},
            {"inherited", summary.inherited},
            {"encoder", summary.encoder},
            {"data", summary.data},
            {"data_digest", summary.data_digest},
            {"split_digest", summary.split_digest},
            {"options_digest", summary.options_digest},
            {"recipe", summary.recipe},
            {"steps", summary.steps},
            {"gflop_per_step", summary.gflop_per_step},
            {"wall_seconds", summary.wall_seconds},
            {"time_spent",
             {{"before_first_step", summary.time_spent.before_first_step},
              {"evaluations", summary.time_spent.evaluations},
              {"records", summary.time_spent.records}}},
            {"test", to_json(summary.test)},
            {"dev", to_json(summary.dev)},
            {"losses", losses},
            {"log_lines", summary.log_lines},
            {"policies", summary.policies},
            {"precision", summary.precision},
            {"device", summary.device},
            {"version", version()},
            {"commit", source_commit()},
            {"libtorch", machine.libtorch},
            {"processor", machine.processor},
            {"cores", machine.cores},
            {"threads", machine.threads},
            {"memory_bytes", machine.memory_bytes},
            {"peak_memory_bytes", machine.peak_memory_bytes}};
  if (summary.skipped_updates) json["skipped_updates"] = *summary.skipped_updates;
  return json;
}

void write_run_summary(const std::filesystem::path& path, const RunSummary& summary) {
  write_file_safely(path, with_checksum(to_json(summary, this_machine())).dump(2) + '\n');
}

bool has_run_summary(const std::filesystem::path& path, int64_t steps) try {
  return std::filesystem::exists(path) && read_json_object(path).value("steps", int64_t{-1}) == steps;
} catch (const std::exception&) {  // damaged
  return false;
}

}  // namespace frgan
