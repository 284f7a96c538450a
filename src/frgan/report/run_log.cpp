#include "frgan/report/run_log.h"

#include <algorithm>
#include <limits>

namespace frgan {

std::vector<std::pair<std::string, double>> losses_of(const Json& losses) {
  std::vector<std::pair<std::string, double>> values;
  for (const auto& [name, value] : losses.items()) {
    values.emplace_back(name, value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  }
  return values;
}

RunLog::RunLog(const std::filesystem::path& path, int64_t first_step)
    : RunLog(path, repair_json_lines(path, first_step)) {}

RunLog::RunLog(const std::filesystem::path& path, const RepairedLines& found)
    : writer_(path), lines_(std::ssize(found.kept)), damaged_lines_(found.damaged) {
  for (const Json& line : found.kept) note(line);
}

// Remembers what a resumed run must know of a line.
void RunLog::note(const Json& line) {
  for (const EvaluatedImages role : {EvaluatedImages::kTest, EvaluatedImages::kDev}) {
    if (!line.contains(name_of(role) + "_error")) continue;
    last_evaluations_[role] = std::max(last_evaluations_[role], line.value("step", int64_t{0}));
  }
  if (const Json* const losses = line.find("losses"); losses != nullptr && losses->is_object()) {
    last_losses_ = losses_of(*losses);
  }
  skipped_updates_ += line.value("skipped_updates", int64_t{0});
}

bool RunLog::has_evaluation(EvaluatedImages role, int64_t step) const {
  const auto found = last_evaluations_.find(role);
  return found != last_evaluations_.end() && found->second >= step;
}

void RunLog::append(const Json& line) {
  writer_.write(line);
  ++lines_;
  note(line);
}

void RunLog::write(const StepRecord& record) {
  Json losses = Json::object();
  for (const auto& [name, value] : record.losses) losses[name] = value;
  Json line = {{"step", record.step},
               {"epoch", record.epoch},
               {"losses", losses},
               {"learning_rate", record.learning_rate},
               {"images_per_second", record.images_per_second},
               {"seconds", record.seconds}};
  if (record.skipped) line["skipped_updates"] = record.skipped->skipped;
  append(line);
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
