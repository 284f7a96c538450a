#include "frgan/report/run_log.h"

namespace frgan {

RunLog::RunLog(const std::filesystem::path& path, int64_t first_step)
    : writer_((truncate_json_lines(path, first_step), path)) {}

void RunLog::write(const StepRecord& record) {
  Json losses = Json::object();
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

Json to_json(const EvaluationRecord& record) {
  return {{"step", record.step},
          {record.role + "_error", record.error},
          {"error_low", record.error_low},
          {"error_high", record.error_high},
          {"images", record.images}};
}

}  // namespace frgan
