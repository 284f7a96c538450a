// A training run with its data, networks and trainer: from options to results. Programs start and resume runs with
// train/training.h, which creates the run folder and needs no LibTorch header.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/json.h"
#include "frgan/data/batch_stream.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_split.h"
#include "frgan/methods/method.h"
#include "frgan/metrics/classification.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"
#include "frgan/train/run_options.h"
#include "frgan/train/run_plan.h"
#include "frgan/train/run_recorder.h"
#include "frgan/train/run_result.h"
#include "frgan/train/stopwatch.h"
#include "frgan/train/trainer.h"

namespace frgan {

// Where a run writes, and what it records about its origin.
struct RunOutput {
  std::filesystem::path folder;  // exists
  Json options;                  // all resolved options, with those of the method
  std::string command;           // repeats the run
};

//   TrainingRun run(options, create_method("fr-gan"), data, split);
//   run.begin();
//   run.fix_steps();
//   RunResult result = run.train({folder, values, command}, progress, stop_signal);
class TrainingRun {
 public:
  // Builds the method for the data. The options of `method` must be set. In `options`, `precision` must not be kAuto,
  // and `threads` must be the actual number of threads.
  TrainingRun(RunOptions options, std::unique_ptr<Method> method, Dataset data, LabelSplit split);

  // Sets the initial weights; call one of the three.
  void begin();                                   // new weights with data-dependent initialization (A31)
  void begin_from(const Checkpoint& checkpoint);  // weights of another run; throws an Error on a mismatch
  void resume(const Checkpoint& checkpoint);      // state of this run; throws an Error on a mismatch

  // Returns the median seconds of `timed` steps, after as many warm-up steps. Restores the state afterwards, so the run
  // is not affected.
  double measure_step(int timed);
  // Determines the number of steps: `steps` if given, else as many as fit into `time_budget`, else `epochs`.
  void fix_steps();

  const RunOptions& options() const { return options_; }  // after fix_steps, with the number of steps
  const LabelSplit& split() const { return split_; }
  int64_t steps_done() const { return trainer_->steps_done(); }
  // A description of the run for the user. Times a step unless it was measured before.
  RunPlan plan();

  // Trains until the last step, or until `stop_signal` is not 0. Throws an Error if a loss or weight is NaN or
  // infinite; the last checkpoint is kept.
  RunResult train(const RunOutput& output, Progress& progress, const std::atomic<int>& stop_signal);

 private:
  bool is_finished() const { return trainer_->steps_done() >= options_.steps; }
  int64_t epoch_steps() const;
  double epochs(int64_t steps) const;
  double measure_evaluation();
  CheckpointState checkpoint_state(const Json& options) const;
  RunSummary summary(const RunOutput& output) const;
  // Throw an Error that names the first non-finite loss term, or the first non-finite tensor of the state.
  void check_losses() const;
  void check_weights() const;

  // The parts of `train`.
  void log_step(RunRecorder& recorder);
  std::filesystem::path write_samples(RunRecorder& recorder);
  std::filesystem::path write_checkpoint(const RunOutput& output);
  RunResult stopped(const RunOutput& output);
  RunResult finish(const RunOutput& output, RunRecorder& recorder, const Stopwatch& total);
  RunResult result_of_finished(const RunOutput& output);
  std::optional<EvaluationRecord> evaluate_on(const ImageSet& set, const std::string& role);
  std::optional<EvaluationRecord> diagnose(const std::filesystem::path& folder, const ImageSet& set,
                                           const std::string& role);
  EvaluationRecord evaluation_record(const std::string& role, const ErrorCount& count) const;

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
