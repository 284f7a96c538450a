#include "frgan/report/run_log.h"

namespace frgan {

RunLog::RunLog(const std::filesystem::path& path, int64_t first_step)
    : found_(repair_json_lines(path, first_step)), writer_(path), lines_(found_.kept) {}

void RunLog::append(const Json& line) {
  writer_.write(line);
  ++lines_;
}

void RunLog::write(const StepRecord& record) {
  Json losses = Json::object();
  for (const auto& [name, value] : record.losses) losses[name] = value;
  append({{"step", record.step},
          {"epoch", record.epoch},
          {"losses", losses},
          {"learning_rate", record.learning_rate},
          {"images_per_second", record.images_per_second},
          {"seconds", record.seconds}});
}

void RunLog::write(const EvaluationRecord& record) {
  append(to_json(record));
}

Json to_json(const EvaluationRecord& record) {
  return {{"step", record.step},
          {name_of(record.role) + "_error", record.error},
          {"error_low", record.error_low},
          {"error_high", record.error_high},
          {"images", record.images}};
}

}  // namespace frgan
