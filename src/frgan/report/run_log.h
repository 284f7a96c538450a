// A run's metrics.jsonl: one JSON object per line, for programs and plots. Every line has "step", so that a resumed run
// can drop the lines after its checkpoint.
//
// Training line, one for each log interval:
//   step               completed steps
//   epoch              completed epochs; steps per epoch = unlabeled images / batch size, rounded down (A27)
//   losses             {"supervised": 0.31, ...}: unweighted loss terms by name
//   learning_rate      of this step
//   images_per_second  images entering a network per second, since the previous training line
//   seconds            training time so far, including the time before a resume
//   skipped_updates    updates that --skip-outliers skipped since the previous training line of this process; only
//                      with that option
//
// Evaluation line, for the averaged weights:
//   step        completed steps
//   test_error  fraction of test images misclassified, 0 to 1; "dev_error" for development images
//   error_low   lower end of the 95 % Wilson interval
//   error_high  upper end
//   images      number of images evaluated
//
// Non-finite numbers are written as null. Each line ends with a checksum (io/json_lines.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frgan/core/evaluated_images.h"
#include "frgan/core/json.h"
#include "frgan/io/json_lines.h"
#include "frgan/report/step_record.h"

namespace frgan {

struct EvaluationRecord {
  int64_t step = 0;
  EvaluatedImages role = EvaluatedImages::kTest;
  double error = 0;
  double error_low = 0;
  double error_high = 1;
  int64_t images = 0;
};
// {"step", "test_error", "error_low", "error_high", "images"}
Json to_json(const EvaluationRecord& record);

//   RunLog log(run / "metrics.jsonl", /*first_step=*/0);
//   log.write(StepRecord{.step = 50, .losses = {{"supervised", 0.31}}, ...});
class RunLog {
 public:
  // Drops the lines after `first_step`, because the resumed run writes them again, and sets damaged lines aside. Throws
  // an Error if the file cannot be written.
  RunLog(const std::filesystem::path& path, int64_t first_step);

  void write(const StepRecord& record);
  void write(const EvaluationRecord& record);
  // Waits until all lines are on disk.
  void sync() { writer_.sync(); }

  int64_t lines() const { return lines_; }                  // in the file
  int64_t damaged_lines() const { return damaged_lines_; }  // moved to metrics.jsonl.damaged by the constructor
  // Whether the file has an evaluation of these images by the weights after `step` completed steps.
  bool has_evaluation(EvaluatedImages role, int64_t step) const;
  // Losses of the last training line, and the sum of all skipped_updates.
  const std::vector<std::pair<std::string, double>>& last_losses() const { return last_losses_; }
  int64_t skipped_updates() const { return skipped_updates_; }

 private:
  RunLog(const std::filesystem::path& path, const RepairedLines& found);
  void note(const Json& line);
  void append(const Json& line);

  JsonLinesWriter writer_;
  int64_t lines_;
  int64_t damaged_lines_;
  std::map<EvaluatedImages, int64_t> last_evaluations_;  // their steps
  std::vector<std::pair<std::string, double>> last_losses_;
  int64_t skipped_updates_ = 0;
};

// The losses of a training line by name; NaN for null.
std::vector<std::pair<std::string, double>> losses_of(const Json& losses);

}  // namespace frgan
