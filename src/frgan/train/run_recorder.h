// Everything that a run records while it trains: log, TensorBoard events, sample grids, learning curve and progress
// line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "frgan/core/json.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_log.h"
#include "frgan/report/tensorboard.h"

namespace frgan {

// The grid of images that were generated after `step`, in a run folder.
std::filesystem::path samples_path(const std::filesystem::path& folder, int64_t step);

struct RecordedRun {
  std::filesystem::path folder;
  Json options;            // shown by TensorBoard
  int64_t first_step = 0;  // later records of an earlier process are dropped
  int64_t classes;
  bool tensorboard;
};

//   RunRecorder recorder(run, progress);
//   recorder.write(StepRecord{.step = 50, .losses = {{"supervised", 0.31}}, ...});
class RunRecorder {
 public:
  // `progress` must outlive the recorder. Throws an Error if a file cannot be written.
  RunRecorder(RecordedRun run, Progress& progress);
  // Writes the record and shows it, with the images per second since the previous one. `images` entered a
  // network in all steps of this process, which took `step_seconds`. Warns once if the supervised loss shows that
  // training diverged, and once if most updates since the previous record were skipped.
  void write(StepRecord record, double step_seconds, int64_t images);
  // Does nothing if the log has this evaluation: a run that was stopped or killed during its evaluations repeats them.
  void write(const EvaluationRecord& record);
  bool has_evaluation(EvaluatedImages role, int64_t step) const { return log_.has_evaluation(role, step); }
  // Prints the error as a permanent line.
  void show(const EvaluationRecord& record);
  // Writes generated images, N x C x S x S in [-1, 1], as a grid. Returns its path. If it cannot be written, warns and
  // returns an empty path: a missing grid must not end a run.
  std::filesystem::path write_samples(int64_t step, const at::Tensor& images);
  // Writes a chart of the errors of the given roles; nothing without roles.
  void write_learning_curve(const std::string& title, const std::vector<EvaluatedImages>& roles) const;
  // Warns if the log or a TensorBoard file of a resumed run was damaged, or if the log has fewer lines than it had at
  // the checkpoint (0: unknown).
  void report_repairs(int64_t log_lines_at_checkpoint);
  // Changes the number of steps that the progress line shows.
  void set_steps(int64_t steps) { progress_.set_steps(steps); }
  // Prints a permanent line.
  void say(const std::string& message) { progress_.say(message); }
  // Waits until the log is on disk.
  void sync() { log_.sync(); }
  int64_t log_lines() const { return log_.lines(); }
  // Continues in a run folder that was renamed.
  void follow(const std::filesystem::path& folder);
  // Marks the run as finished.
  void finish(int64_t steps);

  // Losses of the last step record, and the number of skipped updates in all step records of the run. Updates between
  // the last record and a stop are not counted.
  const std::vector<std::pair<std::string, double>>& losses() const { return log_.last_losses(); }
  int64_t skipped_updates() const { return log_.skipped_updates(); }

 private:
  void warn_of_divergence(const StepRecord& record);
  void report_skipped(const StepRecord& record);

  RecordedRun run_;
  Progress& progress_;
  RunLog log_;
  std::optional<TensorBoardLog> events_;
  int64_t last_images_ = 0;  // of the previous step record
  double last_seconds_ = 0;  // its step_seconds
  bool warned_of_divergence_ = false;
  bool warned_of_skipped_ = false;
};

}  // namespace frgan
