#include "frgan/report/run_log.h"

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

// The file as the run is to find it when it goes on.
std::filesystem::path prepared(const std::filesystem::path& path, std::optional<int64_t> resumed_step) {
  if (resumed_step) {
    truncate_json_lines(path, *resumed_step);
  } else if (std::filesystem::exists(path) && std::filesystem::file_size(path) > 0) {
    throw Error(
        fmt::format("{}: holds the log of a run already; resume that run or choose another directory", path.string()));
  }
  return path;
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& path, std::optional<int64_t> resumed_step)
    : writer_(prepared(path, resumed_step)) {}

void RunLog::write(const StepRecord& record) {
  nlohmann::ordered_json losses = nlohmann::ordered_json::object();
  for (const auto& [name, value] : record.losses) losses[name] = value;
  writer_.write({{"step", record.step},
                 {"epoch", record.epoch},
                 {"losses", losses},
                 {"learning_rate", record.learning_rate},
                 {"images_per_second", record.images_per_second},
                 {"seconds", record.seconds}});
}

void RunLog::write(const EvaluationRecord& record) {
  writer_.write(to_json(record));
}

nlohmann::ordered_json to_json(const EvaluationRecord& record) {
  return {{"step", record.step},
          {record.role + "_error", record.error},
          {"error_low", record.error_low},
          {"error_high", record.error_high},
          {"pictures", record.pictures}};
}

}  // namespace frgan
