// A run's metrics.jsonl: one JSON object a line, for programs and plots. Every line has "step", so that a resumed run
// can drop what came after its checkpoint.
//
// A training line, at each log interval:
//   step               steps done
//   epoch              epochs done: an epoch is as many steps as batches fit into the unlabeled images (A27)
//   losses             {"supervised": 0.31, ...}: each term by its name, before its weight
//   learning_rate      of this step
//   images_per_second  images that entered a network, since the training line before
//   seconds            of training so far, those before a resume included
//
// An evaluation line, of the averaged weights:
//   step        steps done
//   test_error  share of test images that are wrong, 0 to 1; "dev_error" of development images
//   error_low   ends of its 95 % interval (Wilson)
//   error_high
//   images    how many were evaluated
//
// A number that is not finite is null.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "frgan/io/json_lines.h"
#include "frgan/report/step_record.h"

namespace frgan {

struct EvaluationRecord {
  int64_t step = 0;
  std::string role;  // "test" or "dev"
  double error = 0;
  double error_low = 0;
  double error_high = 1;
  int64_t images = 0;
};
// {"step", "test_error", "error_low", "error_high", "images"}
nlohmann::ordered_json to_json(const EvaluationRecord& record);

//   RunLog log(run / "metrics.jsonl", /*first_step=*/0);
//   log.write(StepRecord{.step = 50, .losses = {{"supervised", 0.31}}, ...});
class RunLog {
 public:
  // Lines after `first_step` are dropped: the run that goes on there writes them again. Throws an Error when the file
  // cannot be written.
  RunLog(const std::filesystem::path& path, int64_t first_step);

  void write(const StepRecord& record);
  void write(const EvaluationRecord& record);

 private:
  JsonLinesWriter writer_;
};

}  // namespace frgan
