// A training run, from options to results: plan, checkpoints, log, evaluations, generated images and summary.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/json.h"
#include "frgan/data/batch_stream.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_split.h"
#include "frgan/methods/method.h"
#include "frgan/metrics/classification.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_log.h"
#include "frgan/report/run_summary.h"
#include "frgan/train/run_options.h"
#include "frgan/train/trainer.h"

namespace frgan {

struct RunResult {
  int64_t steps = 0;                          // completed steps
  bool finished = false;                      // false if a signal stopped the run
  std::optional<EvaluationRecord> test, dev;  // evaluations of the averaged weights after the last step
  std::filesystem::path checkpoint;           // the last checkpoint
  std::filesystem::path samples;              // the last grid of generated images; empty without a generator
};

// Holds the data, networks and trainer of one run.
//
//   TrainingRun run(options, create_method("fr-gan"), data, split);
//   run.begin();
//   run.fix_steps();
//   RunResult result = run.train(directory, values, command, progress, stop_signal);
class TrainingRun {
 public:
  // Builds the method for the data. The options of `method` must be set. In `options`, `precision` must be "fp32" or
  // "bf16", and `threads` the actual number of threads.
  TrainingRun(RunOptions options, std::unique_ptr<Method> method, Dataset data, LabelSplit split);

  // Sets the initial weights; call one of the three.
  void begin();                                   // new weights with data-dependent initialization (A31)
  void begin_from(const Checkpoint& checkpoint);  // weights of another run; throws an Error on a mismatch
  void resume(const Checkpoint& checkpoint);      // state of this run; throws an Error on a mismatch

  // Returns the median seconds of `timed` steps, after as many warm-up steps. Restores the state afterwards, so the run
  // is not affected.
  double measure_step(int timed);
  // Seconds per step from the last measurement, or from a new measurement of one step.
  double step_seconds();
  // Determines the number of steps: `steps` if given, else as many as fit into `time_budget`, else `epochs`.
  void fix_steps();

  const RunOptions& options() const { return options_; }  // after fix_steps, with the number of steps
  // A description of the run for the user, several lines: data, label split, steps, expected time, loss weights.
  std::string plan_text(double seconds_per_step) const;

  // Trains until the last step, or until `stop_signal` is not 0, and writes into `directory`. `values` are all resolved
  // options; `command` is the command that repeats the run. Throws an Error if a loss or weight is NaN or infinite; the
  // last checkpoint is kept.
  RunResult train(const std::filesystem::path& directory, const Json& values, const std::string& command,
                  Progress& progress, const std::atomic<int>& stop_signal);

 private:
  // Whether the current step is a multiple of `every`; if `every` is 0, of 1/`count` of the run.
  bool due(int64_t every, int64_t count) const;
  bool evaluation_due() const;
  int64_t epoch_steps() const;
  double epoch() const;
  CheckpointState checkpoint_state(const Json& values) const;
  double measure_evaluation();
  void fix_steps_by_time(double seconds);
  // Throw an Error that names the first non-finite loss term, or the first non-finite tensor of the state.
  void check_losses() const;
  void check_weights() const;
  std::optional<EvaluationRecord> evaluate_on(const ImageSet& set, const std::string& role);
  std::optional<EvaluationRecord> diagnose(const std::filesystem::path& directory, const ImageSet& set,
                                           const std::string& role);
  EvaluationRecord evaluation_record(const std::string& role, const ErrorCount& count) const;
  std::filesystem::path write_checkpoint(const std::filesystem::path& directory, const Json& values);
  void write_learning_curve(const std::filesystem::path& directory) const;
  std::filesystem::path samples_path(const std::filesystem::path& directory) const;
  std::filesystem::path write_samples(const std::filesystem::path& directory);

  RunOptions options_;
  Dataset data_;
  LabelSplit split_;
  Problem problem_;
  std::unique_ptr<Method> method_;
  BatchStream batches_;
  std::unique_ptr<Trainer> trainer_;
  ImageSet dev_;
  std::optional<double> step_seconds_;  // result of measure_step
  double seconds_ = 0;                  // training time, including the time before a resume
  TimeSpent time_spent_;
};

}  // namespace frgan
