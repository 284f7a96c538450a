// A training run with its data, networks and trainer: from options to results. Programs start and resume runs with
// train/training.h, which creates the run folder and needs no LibTorch header.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/encoder.h"
#include "frgan/classifier/pixel_classifier.h"
#include "frgan/core/json.h"
#include "frgan/data/batch_stream.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_split.h"
#include "frgan/methods/method.h"
#include "frgan/metrics/classification.h"
#include "frgan/metrics/quality.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"
#include "frgan/train/run_options.h"
#include "frgan/train/run_pace.h"
#include "frgan/train/run_plan.h"
#include "frgan/train/run_recorder.h"
#include "frgan/train/run_result.h"
#include "frgan/train/stopwatch.h"
#include "frgan/train/trainer.h"

namespace frgan {

class HeldFolder;

// Where a run writes, and what it records about its origin.
struct RunOutput {
  std::filesystem::path folder;  // exists
  Json options;                  // all resolved options, with those of the method
  std::string command;           // repeats the run
  Json inherited = {};           // CheckpointState::inherited
};

// Throws an Error that names the first difference unless the data is that of the checkpoint.
void check_same_data(const Checkpoint& checkpoint, const Dataset& data);

//   TrainingRun run(options, create_method("fr-gan"), data, split);
//   run.begin();
//   run.fix_plan();
//   RunResult result = run.train({folder, values, command}, progress, stop_signal);
class TrainingRun {
 public:
  // Builds the method for the data. The options of `method` must be set. In `options`, `precision` must not be kAuto.
  // The time budget counts from `begun`, which may have started before the data was loaded.
  TrainingRun(RunOptions options, std::unique_ptr<Method> method, Dataset data, LabelSplit split,
              Stopwatch begun = Stopwatch());
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  // Sets the initial weights; call one of the three.
  // New weights with data-dependent initialization (A31), or those of the encoder with a new last layer.
  void begin(const Encoder* encoder = nullptr);
  void begin_from(const Checkpoint& checkpoint);  // weights of another run; throws an Error on a mismatch
  void resume(const Checkpoint& checkpoint);      // state of this run; throws an Error on a mismatch

  // Returns the median seconds of `timed` steps, after as many warm-up steps: the mean over the stages. Restores the
  // state afterwards, so the run is not affected.
  double measure_step(int timed);
  // Chooses the number of threads and of steps (RunPace::fix). A time budget changes the number of steps while the run
  // trains.
  void fix_plan();
  // Follows the decisions of another run, or those that a killed process of this run made after its last checkpoint.
  // The weights are then the same bit for bit. Call it before fix_plan.
  void follow(const StepPlan& recorded) { pace_.follow(recorded, steps_done()); }

  // After fix_plan, `steps` is set unless there is a time budget.
  const RunOptions& options() const { return options_; }
  const LabelSplit& split() const { return split_; }
  const Dataset& data() const { return data_; }
  int64_t steps_done() const { return trainer_.steps_done(); }
  int64_t planned_steps() const { return pace_.planned_steps(); }
  // A description of the run for the user. Times a step unless it was measured before.
  RunPlan plan();

  // Trains until the last step, or until `stop_signal` is not 0. Throws an Error if a loss or weight is NaN or
  // infinite, or if the folder was removed; the last checkpoint is kept.
  RunResult train(const RunOutput& output, Progress& progress, const std::atomic<int>& stop_signal);

 private:
  void compute_features();
  bool is_finished() const { return steps_done() >= planned_steps(); }
  int64_t epoch_steps() const;
  double epochs(int64_t steps) const;
  double measure_evaluation();
  CheckpointState checkpoint_state(const RunOutput& output, int64_t log_lines) const;
  int64_t recipe() const;  // of the method, methods/methods.h
  RunSummary summary(const RunOutput& output) const;
  // Throw an Error that names the first non-finite loss term, or the first non-finite tensor of the state.
  void check_losses() const;
  void check_weights() const;

  // The parts of `train`.
  static void follow(HeldFolder& folder, RunOutput& output, RunRecorder& recorder);
  void train_step(RunRecorder& recorder);
  void evaluate_and_record(RunRecorder& recorder);
  void repeat_stopped_evaluation(RunRecorder& recorder);
  double step_seconds() const;
  double expected_seconds_left() const;
  void log_step(RunRecorder& recorder);
  std::filesystem::path write_samples(RunRecorder& recorder);
  std::filesystem::path write_checkpoint(const RunOutput& output, RunRecorder& recorder);
  std::filesystem::path final_checkpoint(const RunOutput& output, RunRecorder& recorder);
  RunResult stopped(const RunOutput& output, RunRecorder& recorder);
  RunResult finish(HeldFolder& folder, RunOutput& output, RunRecorder& recorder, const Stopwatch& total);
  RunResult result_of_finished(const RunOutput& output, Progress& progress);
  void check_log(const std::filesystem::path& folder, Progress& progress) const;
  std::optional<EvaluationRecord> evaluate_on(const ImageSet& set, EvaluatedImages role);
  void calibrate();
  void fit_baseline();
  void measure_labeled_images();
  ImageSet labeled_images(int64_t most) const;
  QualityBasis quality_basis(const ImageSet& set) const;
  std::optional<Quality> diagnose(const ImageSet& set, EvaluatedImages role,
                                  const std::function<std::filesystem::path()>& folder);
  EvaluationRecord evaluation_record(EvaluatedImages role, const ErrorCount& count) const;

  RunOptions options_;
  Dataset data_;
  LabelSplit split_;
  Problem problem_;
  std::unique_ptr<Method> method_;
  BatchStream batches_;
  Trainer trainer_;
  RunPace pace_;
  ImageSet dev_;
  Json encoder_;                        // CheckpointState::encoder
  std::optional<double> step_seconds_;  // result of measure_step
  double seconds_ = 0;                  // training time, including the time before a resume
  TimeSpent time_spent_;
  StopCheck stopped_;  // ends an evaluation early

  // Set after the last step.
  Calibration calibration_;
  std::optional<PixelClassifier> baseline_;
  at::Tensor class_means_;  // metrics/unknown_classes.h
  double labeled_error_ = 0;

  // Of the newest checkpoint that this process read or wrote.
  int64_t saved_step_ = -1, saved_planned_steps_ = 0;
  bool saved_baseline_ = false;  // and the calibration
  int64_t log_lines_ = 0;        // of the log at the checkpoint from which the run was resumed; 0 if unknown

  // When this process began to train.
  int64_t first_step_ = 0;
  int64_t images_ = 0;        // that entered a network since then
  double first_seconds_ = 0;  // value of seconds_
};

}  // namespace frgan
